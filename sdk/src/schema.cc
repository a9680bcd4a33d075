#include "nacre/sdk/schema.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <string_view>

namespace nacre::sdk {
namespace {

using Json = nlohmann::json;
using Schema = nlohmann::ordered_json;
using Problem = std::optional<std::string>;

constexpr std::array kTypes = {"object", "array", "string", "integer", "number", "boolean"};

// A key as it may stand in a message: hostile keys are long and full of control characters.
std::string Quoted(const std::string& key) {
  const bool cut = key.size() > 64;
  return Json(cut ? key.substr(0, 64) + "..." : key)
      .dump(-1, ' ', true, Json::error_handler_t::replace);
}

// The same, to stand in a JSON Pointer.
std::string Shown(const std::string& key) {
  const std::string quoted = Quoted(key);
  return quoted.substr(1, quoted.size() - 2);
}

std::string Join(const std::string& at, const std::string& key) {
  return at.empty() ? key : at + "." + key;
}

Problem At(const std::string& at, const std::string& what) {
  return at.empty() ? what : at + ": " + what;
}

size_t CharacterCount(const std::string& text) {
  return static_cast<size_t>(std::count_if(text.begin(), text.end(), [](char byte) {
    return (static_cast<unsigned char>(byte) & 0xC0U) != 0x80U;
  }));
}

bool IsOneOf(std::string_view word, std::initializer_list<std::string_view> words) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

bool WordBelongs(const std::string& word, const std::string& type) {
  if (IsOneOf(word, {"type", "description", "default"})) {
    return true;
  }
  if (type == "object") {
    return IsOneOf(word, {"properties", "required", "additionalProperties"});
  }
  if (type == "array") {
    return IsOneOf(word, {"items", "minItems", "maxItems"});
  }
  if (type == "string") {
    return IsOneOf(word, {"minLength", "maxLength", "enum", "format"});
  }
  return IsOneOf(type, {"integer", "number"}) && IsOneOf(word, {"minimum", "maximum", "enum"});
}

const char* Article(const std::string& type) {
  return IsOneOf(type, {"object", "array", "integer"}) ? "an " : "a ";
}

template <typename AnyJson>
bool HasType(const AnyJson& value, const std::string& type) {
  if (type == "object") {
    return value.is_object();
  }
  if (type == "array") {
    return value.is_array();
  }
  if (type == "string") {
    return value.is_string();
  }
  if (type == "integer") {
    return value.is_number_integer();
  }
  if (type == "number") {
    return value.is_number() && std::isfinite(value.template get<double>());
  }
  return type == "boolean" && value.is_boolean();
}

// ---- CheckSchema

Problem Check(const Schema& schema, const std::string& at, int depth);

Problem CheckCounts(const Schema& schema, const char* least, const char* most,
                    const std::string& at) {
  for (const char* word : {least, most}) {
    if (schema.contains(word) && !schema[word].is_number_unsigned()) {
      return At(Join(at, word), "expected a whole number, not negative");
    }
  }
  if (schema.contains(least) && schema.contains(most) &&
      schema[least].get<uint64_t>() > schema[most].get<uint64_t>()) {
    return At(Join(at, least), std::string("larger than ") + most);
  }
  return std::nullopt;
}

Problem CheckEnum(const Schema& schema, const std::string& type, const std::string& at) {
  if (!schema.contains("enum")) {
    return std::nullopt;
  }
  const Schema& values = schema["enum"];
  if (!values.is_array() || values.empty() || values.size() > kSchemaEnumMax) {
    return At(Join(at, "enum"),
              "expected a list of 1 to " + std::to_string(kSchemaEnumMax) + " values");
  }
  for (const Schema& value : values) {
    if (!HasType(value, type)) {
      return At(Join(at, "enum"), std::string("every value must be ") + Article(type) + type);
    }
  }
  return std::nullopt;
}

Problem CheckObject(const Schema& schema, const std::string& at, int depth) {
  if (schema.contains("additionalProperties") && schema["additionalProperties"] != false) {
    return At(Join(at, "additionalProperties"), "can only be false");
  }
  const Schema properties = schema.value("properties", Schema::object());
  if (!properties.is_object() || properties.size() > kSchemaPropertiesMax) {
    return At(Join(at, "properties"),
              "expected at most " + std::to_string(kSchemaPropertiesMax) + " keys");
  }
  for (const auto& [key, property] : properties.items()) {
    if (key.empty() || key.size() > 64) {
      return At(Join(at, "properties"), "a key must have 1 to 64 bytes");
    }
    if (Problem problem = Check(property, Join(Join(at, "properties"), key), depth + 1)) {
      return problem;
    }
  }
  const Schema required = schema.value("required", Schema::array());
  if (!required.is_array()) {
    return At(Join(at, "required"), "expected a list of keys");
  }
  for (const Schema& key : required) {
    if (!key.is_string() || !properties.contains(key.get<std::string>())) {
      return At(Join(at, "required"), "names a key that is not in properties");
    }
  }
  return std::nullopt;
}

Problem CheckNumber(const Schema& schema, const std::string& type, const std::string& at) {
  for (const char* word : {"minimum", "maximum"}) {
    if (schema.contains(word) && !HasType(schema[word], type)) {
      return At(Join(at, word), std::string("expected ") + Article(type) + type);
    }
  }
  if (schema.contains("minimum") && schema.contains("maximum") &&
      schema["minimum"] > schema["maximum"]) {
    return At(Join(at, "minimum"), "larger than maximum");
  }
  return CheckEnum(schema, type, at);
}

Problem CheckString(const Schema& schema, const std::string& at, int depth) {
  if (schema.contains("format")) {
    if (schema["format"] != "path" && schema["format"] != "path-write") {
      return At(Join(at, "format"), "expected path or path-write");
    }
    if (depth != 1) {
      return At(Join(at, "format"), "only properties of the arguments themselves can be paths");
    }
  }
  if (Problem problem = CheckCounts(schema, "minLength", "maxLength", at)) {
    return problem;
  }
  return CheckEnum(schema, "string", at);
}

Problem CheckArray(const Schema& schema, const std::string& at, int depth) {
  if (!schema.contains("items")) {
    return At(at, "an array needs items");
  }
  if (Problem problem = CheckCounts(schema, "minItems", "maxItems", at)) {
    return problem;
  }
  return Check(schema["items"], Join(at, "items"), depth + 1);
}

Problem CheckOfType(const Schema& schema, const std::string& type, const std::string& at,
                    int depth) {
  if (type == "object") {
    return CheckObject(schema, at, depth);
  }
  if (type == "array") {
    return CheckArray(schema, at, depth);
  }
  if (type == "string") {
    return CheckString(schema, at, depth);
  }
  return type == "boolean" ? std::nullopt : CheckNumber(schema, type, at);
}

Problem Check(const Schema& schema, const std::string& at, int depth) {
  if (depth > kSchemaDepthMax) {
    return At(at, "nested deeper than " + std::to_string(kSchemaDepthMax) + " levels");
  }
  if (!schema.is_object()) {
    return At(at, "expected a schema, that is an object with a type");
  }
  const auto found = schema.find("type");
  if (found == schema.end() || !found->is_string() ||
      std::find(kTypes.begin(), kTypes.end(), found->get<std::string>()) == kTypes.end()) {
    return At(Join(at, "type"), "expected one of object, array, string, integer, number, boolean");
  }
  const auto type = found->get<std::string>();
  for (const auto& [word, value] : schema.items()) {
    if (!WordBelongs(word, type)) {
      return At(at, "unknown word " + Quoted(word) + " for type " + type);
    }
  }
  if (schema.contains("description") && !schema["description"].is_string()) {
    return At(Join(at, "description"), "expected a string");
  }
  if (Problem problem = CheckOfType(schema, type, at, depth)) {
    return problem;
  }
  if (schema.contains("default")) {
    if (const Problem problem = Validate(schema, Json(schema["default"]))) {
      return At(Join(at, "default"), *problem);
    }
  }
  return std::nullopt;
}

// ---- Validate: messages name the value by its JSON Pointer (RFC 6901), "/argv/1"

std::string Pointer(const std::string& at, const std::string& key) {
  std::string pointer = at + '/';
  for (const char c : key) {
    pointer += c == '~' ? std::string("~0") : c == '/' ? std::string("~1") : std::string(1, c);
  }
  return pointer;
}

Problem ValidateAt(const Schema& schema, const Json& value, const std::string& at);

Problem ValidateCount(const Schema& schema, const char* least, const char* most, size_t count,
                      const char* unit, const std::string& at) {
  if (schema.contains(least) && count < schema[least].get<uint64_t>()) {
    return At(at, "expected at least " + schema[least].dump() + " " + unit);
  }
  if (schema.contains(most) && count > schema[most].get<uint64_t>()) {
    return At(at, "expected at most " + schema[most].dump() + " " + unit);
  }
  return std::nullopt;
}

Problem ValidateEnum(const Schema& schema, const Json& value, const std::string& at) {
  if (!schema.contains("enum")) {
    return std::nullopt;
  }
  std::string choices;
  for (const Schema& choice : schema["enum"]) {
    if (Json(choice) == value) {
      return std::nullopt;
    }
    choices += (choices.empty() ? "" : ", ") + choice.dump();
  }
  return At(at, "expected one of " + choices);
}

Problem NoSuchMember(const Schema& schema, const std::string& at, const std::string& key) {
  std::string members;
  if (const auto properties = schema.find("properties"); properties != schema.end()) {
    for (const auto& [member, property] : properties->items()) {
      members += (members.empty() ? "" : ", ") + Shown(member);
    }
  }
  return At(Pointer(at, Shown(key)), std::string("no such ") +
                                         (at.empty() ? "argument" : "member") + "; there are " +
                                         (members.empty() ? "none" : members));
}

Problem ValidateObject(const Schema& schema, const Json& value, const std::string& at) {
  const auto properties = schema.find("properties");
  for (const auto& [key, member] : value.items()) {
    if (properties == schema.end() || !properties->contains(key)) {
      return NoSuchMember(schema, at, key);
    }
    if (Problem problem = ValidateAt((*properties)[key], member, Pointer(at, key))) {
      return problem;
    }
  }
  if (schema.contains("required")) {
    for (const Schema& key : schema["required"]) {
      if (!value.contains(key.get<std::string>())) {
        return At(Pointer(at, key.get<std::string>()), "missing");
      }
    }
  }
  return std::nullopt;
}

Problem ValidateArray(const Schema& schema, const Json& value, const std::string& at) {
  if (Problem problem = ValidateCount(schema, "minItems", "maxItems", value.size(), "items", at)) {
    return problem;
  }
  for (size_t i = 0; i < value.size(); ++i) {
    if (Problem problem = ValidateAt(schema["items"], value[i], Pointer(at, std::to_string(i)))) {
      return problem;
    }
  }
  return std::nullopt;
}

Problem ValidateNumber(const Schema& schema, const Json& value, const std::string& at) {
  if (schema.contains("minimum") && value < Json(schema["minimum"])) {
    return At(at, "expected at least " + schema["minimum"].dump());
  }
  if (schema.contains("maximum") && value > Json(schema["maximum"])) {
    return At(at, "expected at most " + schema["maximum"].dump());
  }
  return ValidateEnum(schema, value, at);
}

Problem ValidateAt(const Schema& schema, const Json& value, const std::string& at) {
  const auto& type = schema["type"].get_ref<const std::string&>();
  if (!HasType(value, type)) {
    return At(at, std::string("expected ") + Article(type) + type);
  }
  if (type == "object") {
    return ValidateObject(schema, value, at);
  }
  if (type == "array") {
    return ValidateArray(schema, value, at);
  }
  if (type == "string") {
    if (Problem problem =
            ValidateCount(schema, "minLength", "maxLength",
                          CharacterCount(value.get_ref<const std::string&>()), "characters", at)) {
      return problem;
    }
    return ValidateEnum(schema, value, at);
  }
  return type == "boolean" ? std::nullopt : ValidateNumber(schema, value, at);
}

}  // namespace

std::optional<std::string> CheckSchema(const nlohmann::ordered_json& schema) {
  if (Problem problem = Check(schema, "", 0)) {
    return problem;
  }
  return schema["type"] == "object" ? std::nullopt : Problem("type: the arguments are an object");
}

std::optional<std::string> Validate(const nlohmann::ordered_json& schema,
                                    const nlohmann::json& arguments) {
  return ValidateAt(schema, arguments, "");
}

}  // namespace nacre::sdk
