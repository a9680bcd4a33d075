#include "policy/language_docs.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "base/units.h"
#include "policy/internal/language.h"
#include "policy/internal/node_reader.h"

namespace nacre::policy {
namespace {

using Type = Field::Type;
using Many = Field::Many;

// ---- the reference ------------------------------------------------------------------------------

// "a | b" for a cell of a table.
std::string Choices(const Field& field) {
  std::string text;
  for (const std::string& choice : field.choices) {
    text += (text.empty() ? "`" : ", `") + choice + "`";
  }
  return text;
}

// A link to the table of a map; GitHub leaves the dots out.
std::string Link(const std::string& map) {
  std::string anchor = map;
  anchor.erase(std::remove(anchor.begin(), anchor.end(), '.'), anchor.end());
  return "[`" + map + "`](#keys-of-" + anchor + ")";
}

std::string Bounds(const std::string& minimum, const std::string& maximum) {
  return ", " + minimum + " to " + maximum;
}

std::string OneValue(const Field& field) {
  const std::chrono::milliseconds least(field.minimum);
  const std::chrono::milliseconds most(field.maximum);
  switch (field.type) {
    case Type::kNotEnforced:
      return "refused in this version";
    case Type::kVersion:
    case Type::kChoice:
      return Choices(field);
    case Type::kIdentifier:
      return "an identifier";
    case Type::kReason:
      return "one line of text";
    case Type::kText:
      return "text";
    case Type::kBoolean:
      return "`true`, `false`";
    case Type::kInteger:
      return "a whole number" +
             (field.maximum == INT32_MAX
                  ? std::string()
                  : Bounds(std::to_string(field.minimum), std::to_string(field.maximum)));
    case Type::kDuration:
      return "a duration" + Bounds(FormatDuration(least), FormatDuration(most));
    case Type::kSeconds:
      return "whole seconds" + Bounds(FormatDuration(least), FormatDuration(most));
    case Type::kSize:
      return "a size" + Bounds(FormatSize(static_cast<uint64_t>(field.minimum)),
                               FormatSize(static_cast<uint64_t>(field.maximum)));
    case Type::kTool:
      return "a tool: `fs.read`, `fs.*`, `\"*\"`";
    case Type::kGlob:
      return field.map == "matcher" ? "a glob" : "a glob from the workspace";
    case Type::kSandboxGlob:
      return "an absolute glob";
    case Type::kSandboxPath:
      return "an absolute path, without `.` and `..`";
    case Type::kHost:
      return "a host";
    case Type::kCategory:
      return "a name: a-z 0-9 . : _ -";
    case Type::kAccount:
      return "a user's name";
    case Type::kRegex:
      return "a regular expression (RE2)";
    case Type::kValue:
      return "a text, number, `true` or `false`";
    case Type::kRange:
      return "two whole numbers";
    case Type::kMap:
      return "keys of " + Link(field.inner);
    case Type::kArguments:
      return "paths of arguments, each with a value or the keys of `" + field.inner +
             "`; at most " + std::to_string(field.items_max);
    case Type::kFlowTo:
      return "a tool or `network`";
  }
  return "";
}

std::string Values(const Field& field) {
  const std::string one = OneValue(field);
  switch (field.many) {
    case Many::kOne:
      return one;
    case Many::kList:
      return "a list of at most " + std::to_string(field.items_max) +
             (field.type == Type::kMap ? ", each with the " : "; each ") + one;
    case Many::kOneOrMore:
      return one + (field.type == Type::kFlowTo
                        ? ", a list of them, or keys of " + Link(field.inner)
                        : ", or a list of at most " + std::to_string(field.items_max));
  }
  return one;
}

std::string WhenAbsent(const Field& field) {
  return field.required ? "**required**" : field.initial.empty() ? "" : "`" + field.initial + "`";
}

// A "|" would end the cell.
std::string Cell(const std::string& text) {
  std::string cell;
  for (const char c : text) {
    cell += c == '|' ? std::string("\\|") : std::string(1, c);
  }
  return cell;
}

// ---- the schema ---------------------------------------------------------------------------------

constexpr const char* kToolPattern = R"(^(\*|[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*(\.\*)?)$)";
constexpr const char* kArgumentPattern =
    R"re(^([A-Za-z0-9_$-]+|\["(?![A-Za-z0-9_$-]+"\])([^"\\]|\\.)+"\])(\.[A-Za-z0-9_$-]+|\[([0-9]+|\*|\?|"(?![A-Za-z0-9_$-]+"\])([^"\\]|\\.)+")\])*$)re";

// A "[*]" that is no part of a name.
constexpr const char* kEveryPattern = R"re(^([^"]|"([^"\\]|\\.)*")*\[\*\])re";

OrderedJson Text(const char* pattern, int64_t maximum = 0) {
  OrderedJson schema = {{"type", "string"}, {"minLength", 1}};
  if (pattern != nullptr) {
    schema["pattern"] = pattern;
  }
  if (maximum > 0) {
    schema["maxLength"] = maximum;
  }
  return schema;
}

OrderedJson Reference(const std::string& map) {
  return {{"$ref", "#/$defs/" + map}};
}

OrderedJson AnyOf(OrderedJson first, OrderedJson second) {
  return {{"anyOf", OrderedJson::array({std::move(first), std::move(second)})}};
}

OrderedJson OneSchema(const Field& field) {
  switch (field.type) {
    case Type::kVersion:
      return {{"const", field.choices.front()}};
    case Type::kIdentifier:
      return Text("^[a-z0-9][a-z0-9._-]{0,63}$");
    case Type::kReason:
      return Text(R"(^[^\n\r\t]+$)", kReasonBytesMax);
    case Type::kChoice:
      return {{"enum", field.choices}};
    case Type::kBoolean:
      return {{"type", "boolean"}};
    case Type::kInteger:
      return {{"type", "integer"}, {"minimum", field.minimum}, {"maximum", field.maximum}};
    case Type::kDuration:
    case Type::kSeconds:
      return Text("^[0-9]+(ms|s|m|h|d)$");
    case Type::kSize:
      return Text("^[0-9]+(B|[kMG]B|[KMGT]iB)$");
    case Type::kTool:
    case Type::kFlowTo:
      return Text(kToolPattern);
    case Type::kGlob:
      return Text(field.map == "matcher" ? nullptr : "^[^/]", field.maximum);
    case Type::kSandboxGlob:
    case Type::kSandboxPath:
      return Text("^/", field.maximum);
    case Type::kHost:
      return Text(R"(^[^/\\@%\s]+$)", field.maximum);
    case Type::kCategory:
      return Text("^[a-z0-9][a-z0-9.:_-]{0,63}$");
    case Type::kAccount:
      return Text("^[A-Za-z0-9_][A-Za-z0-9_.-]*$", field.maximum);
    case Type::kText:
    case Type::kRegex:
      return Text(nullptr, field.maximum);
    case Type::kValue:
      return {{"type", {"string", "number", "boolean"}}};
    case Type::kRange:
      return {
          {"type", "array"}, {"items", {{"type", "integer"}}}, {"minItems", 2}, {"maxItems", 2}};
    case Type::kMap:
      return field.map == "matcher" && field.key == "not"
                 ? OrderedJson{{"allOf", OrderedJson::array({Reference(field.inner)})},
                               {"minProperties", 1},
                               {"maxProperties", 1},
                               {"not", {{"required", {"not"}}}}}
             : field.key == "narrow"
                 ? OrderedJson{{"allOf", OrderedJson::array({Reference(field.inner)})},
                               {"properties", {{"decision", {{"enum", {"ask", "deny"}}}}}}}
                 : Reference(field.inner);
    case Type::kArguments:
      return {{"type", "object"},
              {"propertyNames", {{"pattern", kArgumentPattern}}},
              {"maxProperties", field.items_max},
              {"additionalProperties",
               AnyOf({{"type", {"string", "number", "boolean"}}}, Reference(field.inner))}};
    case Type::kNotEnforced:
      break;
  }
  return false;
}

OrderedJson ValueSchema(const Field& field) {
  OrderedJson one = OneSchema(field);
  const bool may_be_empty =
      field.type == Type::kMap || field.type == Type::kGlob || field.type == Type::kText;
  OrderedJson list = {{"type", "array"}, {"items", one}, {"maxItems", field.items_max}};
  if (!may_be_empty) {
    list["minItems"] = 1;
  }
  if (field.many == Many::kOne) {
    return one;
  }
  if (field.many == Many::kList) {
    return list;
  }
  OrderedJson schema = AnyOf(std::move(one), std::move(list));
  if (field.type == Type::kFlowTo) {
    schema["anyOf"].push_back(Reference(field.inner));
  }
  return schema;
}

// What holds where the key is absent, with its type.
OrderedJson Initial(const Field& field) {
  YamlNode node;
  node.kind = YamlNode::Kind::kScalar;
  node.text = field.initial;
  return OrderedJson(ScalarValue(node));
}

// One of these keys must be there.
OrderedJson OneNeeded(const std::vector<std::string>& keys) {
  OrderedJson any = OrderedJson::array();
  for (const std::string& key : keys) {
    any.push_back({{"required", {key}}});
  }
  return {{"anyOf", std::move(any)}};
}

// What a map asks of its keys together.
void AddConditions(const std::string& map, OrderedJson& schema) {
  if (map == "matcher" || map == "flow.when" || map == "flow.to") {
    schema["minProperties"] = 1;
  } else if (map == "source") {
    schema["allOf"] = {OneNeeded({"tool", "path", "host", "memory", "user"}),
                       OneNeeded({"integrity", "confidentiality", "categories"})};
  } else if (map == "rate") {
    schema["allOf"] = {OneNeeded({"calls", "wall", "bytes_out"})};
  } else if (map == "rule") {
    // One harmless element would turn such a rule off.
    const OrderedJson no_every = {{"propertyNames", {{"not", {{"pattern", kEveryPattern}}}}}};
    schema["allOf"] = {{{"if", {{"properties", {{"decision", {{"const", "deny"}}}}}}},
                        {"then", {{"properties", {{"args", no_every}}}}}},
                       {{"if", {{"properties", {{"decision", {{"enum", {"allow", "deny"}}}}}}}},
                        {"then", {{"properties", {{"approvers", false}}}}}}};
  } else if (map == "flow") {
    schema["allOf"] = {{{"if", {{"properties", {{"decision", {{"const", "deny"}}}}}}},
                        {"then", {{"properties", {{"approvers", false}}}}}}};
  }
}

OrderedJson MapSchema(const std::string& map) {
  OrderedJson properties = OrderedJson::object();
  OrderedJson required = OrderedJson::array();
  for (const Field* field : FieldsOf(map)) {
    OrderedJson value = ValueSchema(*field);
    if (value.is_object()) {
      value["description"] = field->meaning;
      if (!field->initial.empty()) {
        value["default"] = Initial(*field);
      }
    }
    if (field->type != Type::kNotEnforced) {
      properties[field->key] = std::move(value);
    }
    if (field->required) {
      required.push_back(field->key);
    }
  }
  OrderedJson schema = {{"type", "object"}};
  schema["properties"] = std::move(properties);
  if (!required.empty()) {
    schema["required"] = std::move(required);
  }
  schema["additionalProperties"] = false;
  AddConditions(map, schema);
  return schema;
}

// The maps of the language but the document, in the order of the table.
std::vector<std::string> InnerMaps() {
  std::vector<std::string> maps;
  for (const Field& field : LanguageFields()) {
    if (!field.map.empty() && (maps.empty() || maps.back() != field.map)) {
      maps.push_back(field.map);
    }
  }
  return maps;
}

}  // namespace

std::string ReferenceTables() {
  std::string text;
  const std::string* map = nullptr;
  for (const Field& field : LanguageFields()) {
    if (map == nullptr || *map != field.map) {
      map = &field.map;
      text += std::string(text.empty() ? "" : "\n") + "### " +
              (map->empty() ? "Keys of the document" : "Keys of `" + *map + "`") +
              "\n\n| key | values | when absent | meaning |\n|---|---|---|---|\n";
    }
    text += "| `" + field.key + "` | " + Cell(Values(field)) + " | " + WhenAbsent(field) + " | " +
            Cell(field.meaning) + " |\n";
  }
  return text;
}

OrderedJson ReferenceJson() {
  OrderedJson list = OrderedJson::array();
  for (const Field& field : LanguageFields()) {
    list.push_back({{"map", field.map},
                    {"key", field.key},
                    {"values", Values(field)},
                    {"required", field.required},
                    {"initial", field.initial},
                    {"enforced", field.type != Type::kNotEnforced},
                    {"meaning", field.meaning}});
  }
  return list;
}

OrderedJson LanguageSchema() {
  OrderedJson schema = {{"$schema", "https://json-schema.org/draft/2020-12/schema"},
                        {"title", "nacre: policy/1"},
                        {"description",
                         "What an AI agent may do. Printed by `nacre policy schema`; explained in "
                         "docs/policy-reference.md"}};
  const OrderedJson document = MapSchema("");
  for (const auto& [key, value] : document.items()) {
    schema[key] = value;
  }
  OrderedJson& definitions = schema["$defs"];
  for (const std::string& map : InnerMaps()) {
    definitions[map] = MapSchema(map);
  }
  return schema;
}

}  // namespace nacre::policy
