#include "runtime/inference/worker/grammar.h"

#include <algorithm>
#include <set>

#include "base/json.h"

namespace nacre::inference {
namespace {

constexpr int kBlockChars = 100;
constexpr int64_t kIntegerMax = 999'999'999'999'999;  // 15 digits: exact in every JSON reader

// A GBNF string literal.
std::string Literal(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    switch (c) {
      case '"':
        out += "\\\"";
        break;
      case '\\':
        out += "\\\\";
        break;
      case '\n':
        out += "\\n";
        break;
      case '\t':
        out += "\\t";
        break;
      case '\r':
        out += "\\r";
        break;
      default:
        out += c;
    }
  }
  return out + "\"";
}

std::string Literal(const FrameParts& parts) {
  std::string out;
  for (const FramePart& part : parts) {
    out += out.empty() ? "" : " ";
    out += part.token >= 0 ? "<[" + std::to_string(part.token) + "]>" : Literal(part.text);
  }
  return out.empty() ? "\"\"" : out;
}

bool IsPlainName(std::string_view name) {
  return !name.empty() && name.size() <= 64 && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '.' || c == '-';
  });
}

std::string Repeat(const std::string& what, int64_t low, int64_t high) {
  if (low == 1 && high == 1) {
    return what;
  }
  return what + "{" + std::to_string(low) + "," + std::to_string(high) + "}";
}

std::string DigitClass(char low, char high) {
  return low == high ? Literal(std::string(1, low)) : std::string("[") + low + "-" + high + "]";
}

// Alternatives for the digit strings from `low` to `high`, which have the same length.
void SameLengthRange(const std::string& low, const std::string& high, const std::string& before,
                     std::vector<std::string>* out) {
  const std::string lead = before.empty() ? "" : Literal(before) + " ";
  if (low == std::string(low.size(), '0') && high == std::string(high.size(), '9')) {
    const int64_t digits = static_cast<int64_t>(low.size());
    out->push_back(lead + Repeat("[0-9]", digits, digits));
    return;
  }
  if (low.size() == 1) {
    out->push_back(lead + DigitClass(low[0], high[0]));
    return;
  }
  const std::string low_rest = low.substr(1);
  const std::string high_rest = high.substr(1);
  if (low[0] == high[0]) {
    SameLengthRange(low_rest, high_rest, before + low[0], out);
    return;
  }
  const std::string zeros(low_rest.size(), '0');
  const std::string nines(low_rest.size(), '9');
  char first = low[0];
  char last = high[0];
  if (low_rest != zeros) {
    SameLengthRange(low_rest, nines, before + low[0], out);
    ++first;
  }
  if (high_rest != nines) {
    --last;
  }
  if (first <= last) {
    const int64_t digits = static_cast<int64_t>(low_rest.size());
    out->push_back(lead + DigitClass(first, last) + " " + Repeat("[0-9]", digits, digits));
  }
  if (high_rest != nines) {
    SameLengthRange(zeros, high_rest, before + high[0], out);
  }
}

// Alternatives for the integers from `low` to `high`, both not negative.
void NaturalRange(int64_t low, int64_t high, const std::string& sign,
                  std::vector<std::string>* out) {
  const std::string last = std::to_string(high);
  for (std::string from = std::to_string(low); from.size() <= last.size();
       from = "1" + std::string(from.size(), '0')) {
    const std::string to = from.size() == last.size() ? last : std::string(from.size(), '9');
    std::vector<std::string> alternatives;
    SameLengthRange(from, to, "", &alternatives);
    for (const std::string& alternative : alternatives) {
      out->push_back(sign + alternative);
    }
  }
}

std::string Join(const std::vector<std::string>& parts, const std::string& separator) {
  std::string out;
  for (const std::string& part : parts) {
    out += (out.empty() ? "" : separator) + part;
  }
  return out;
}

class Builder {
 public:
  explicit Builder(const CallFrame& frame)
      : key_(Literal(frame.key_separator)), item_(Literal(frame.item_separator)) {}

  // Adds NAME ::= BODY and returns NAME.
  std::string Rule(const std::string& name, const std::string& body) {
    if (names_.insert(name).second) {
      text_ += name + " ::= " + body + "\n";
    }
    return name;
  }

  std::string Text(const std::string& first_class) {
    Rule("text-char", R"([^\x01-\x08\x0B-\x1F\x7F\uD800-\uDFFF])");
    Rule("text-block", Repeat("text-char", kBlockChars, kBlockChars));
    return Rule("say", first_class + " text-block" +
                           Repeat("", 0, GrammarLimits::kTextChars / kBlockChars - 1) +
                           " text-char" + Repeat("", 0, kBlockChars - 1));
  }

  Result<std::string> Object(const OrderedJson& schema, const std::string& name, int depth) {
    struct Member {
      std::string text;
      bool required;
    };
    std::vector<Member> members;
    std::set<std::string> required;
    if (const auto list = schema.find("required"); list != schema.end() && list->is_array()) {
      for (const OrderedJson& key : *list) {
        if (key.is_string()) {
          required.insert(key.get<std::string>());
        }
      }
    }
    const auto properties = schema.find("properties");
    if (properties != schema.end()) {
      if (!properties->is_object()) {
        return Error{ErrorCode::kInvalidArgument, "\"properties\" is no object"};
      }
      for (const auto& [key, value] : properties->items()) {
        if (!IsPlainName(key)) {
          return Error{ErrorCode::kInvalidArgument,
                       "property name outside [A-Za-z0-9_.-]{1,64} in " + name};
        }
        const std::string rule =
            NACRE_TRY(Value(value, name + "-" + std::to_string(members.size()), depth + 1));
        members.push_back(
            {Literal("\"" + key + "\"") + " " + key_ + " " + rule, required.erase(key) > 0});
      }
    }
    if (!required.empty()) {
      return Error{ErrorCode::kInvalidArgument, "a required key is not among the properties"};
    }
    if (members.empty()) {
      return std::string(R"("{}")");
    }
    // tail-K: what may follow once a member before K has been written.
    std::vector<std::string> tails(members.size() + 1);
    for (size_t k = members.size(); k-- > 1;) {
      const std::string member = item_ + " " + members[k].text;
      tails[k] = (members[k].required ? member : "(" + member + ")?") +
                 (tails[k + 1].empty() ? "" : " " + tails[k + 1]);
      tails[k] = Rule(name + "-tail" + std::to_string(k), tails[k]);
    }
    // The first member written is any up to and including the first required one.
    std::vector<std::string> starts;
    bool may_be_empty = true;
    for (size_t k = 0; k < members.size() && may_be_empty; ++k) {
      starts.push_back(members[k].text + (tails[k + 1].empty() ? "" : " " + tails[k + 1]));
      may_be_empty = !members[k].required;
    }
    return R"("{" ()" + Join(starts, " | ") + ")" + (may_be_empty ? "?" : "") + R"( "}")";
  }

 private:
  // An expression that can stand in a sequence: a rule name or a parenthesised one.
  Result<std::string> Value(const OrderedJson& schema, const std::string& name, int depth) {
    if (depth > GrammarLimits::kSchemaDepth) {
      return Error{ErrorCode::kInvalidArgument, "the schema is nested too deeply"};
    }
    if (!schema.is_object()) {
      return Any(2);
    }
    std::vector<std::string> alternatives;
    if (const auto list = schema.find("enum"); list != schema.end() && list->is_array()) {
      for (const OrderedJson& value : *list) {
        alternatives.push_back(Literal(DumpJson(value)));
      }
    } else if (const auto value = schema.find("const"); value != schema.end()) {
      alternatives.push_back(Literal(DumpJson(*value)));
    } else if (const OrderedJson* choices = Choices(schema); choices != nullptr) {
      for (const OrderedJson& choice : *choices) {
        alternatives.push_back(
            NACRE_TRY(Value(choice, name + "-" + std::to_string(alternatives.size()), depth + 1)));
      }
    } else if (const auto type = schema.find("type"); type != schema.end()) {
      const OrderedJson types = type->is_array() ? *type : OrderedJson::array({*type});
      for (const OrderedJson& one : types) {
        alternatives.push_back(
            NACRE_TRY(OfType(one.is_string() ? one.get<std::string>() : "", schema,
                             name + "-" + std::to_string(alternatives.size()), depth)));
      }
    }
    if (alternatives.empty()) {
      return Any(2);
    }
    return Rule(name, Join(alternatives, " | "));
  }

  static const OrderedJson* Choices(const OrderedJson& schema) {
    for (const char* key : {"anyOf", "oneOf"}) {
      if (const auto found = schema.find(key); found != schema.end() && found->is_array()) {
        return &*found;
      }
    }
    return nullptr;
  }

  static int64_t Bound(const OrderedJson& schema, const char* key, int64_t fallback, int64_t low,
                       int64_t high) {
    const auto found = schema.find(key);
    if (found == schema.end() || !found->is_number()) {
      return fallback;
    }
    const double value = found->get<double>();
    return value <= static_cast<double>(low)    ? low
           : value >= static_cast<double>(high) ? high
                                                : static_cast<int64_t>(value);
  }

  Result<std::string> OfType(const std::string& type, const OrderedJson& schema,
                             const std::string& name, int depth) {
    if (type == "string") {
      const int64_t low = Bound(schema, "minLength", 0, 0, 1000);
      const int64_t high =
          Bound(schema, "maxLength", GrammarLimits::kStringChars, 0, GrammarLimits::kStringChars);
      return String(low, std::max(low, high), name);
    }
    if (type == "integer") {
      const int64_t low = Bound(schema, "minimum", -kIntegerMax, -kIntegerMax, kIntegerMax);
      const int64_t high = Bound(schema, "maximum", kIntegerMax, -kIntegerMax, kIntegerMax);
      std::vector<std::string> out;
      if (low > high) {
        return Error{ErrorCode::kInvalidArgument, "\"minimum\" is above \"maximum\" in " + name};
      }
      if (low < 0) {
        NaturalRange(std::max<int64_t>(1, -high), -low, "\"-\" ", &out);
      }
      if (high >= 0) {
        NaturalRange(std::max<int64_t>(0, low), high, "", &out);
      }
      return Rule(name + "-int", Join(out, " | "));
    }
    if (type == "number") {
      return Number();
    }
    if (type == "boolean") {
      return std::string(R"(("true" | "false"))");
    }
    if (type == "null") {
      return std::string(R"("null")");
    }
    if (type == "array") {
      const auto items = schema.find("items");
      const std::string item = NACRE_TRY(
          Value(items == schema.end() ? OrderedJson() : *items, name + "-item", depth + 1));
      const int64_t low = Bound(schema, "minItems", 0, 0, GrammarLimits::kListItems);
      const int64_t high = std::max(low, Bound(schema, "maxItems", GrammarLimits::kListItems, 0,
                                               2 * GrammarLimits::kListItems));
      return Rule(name + "-list", List(item, low, high));
    }
    if (type == "object") {
      if (!schema.contains("properties")) {
        return Any(2);
      }
      const std::string body = NACRE_TRY(Object(schema, name + "-o", depth + 1));
      return Rule(name + "-object", body);
    }
    return Any(2);
  }

  std::string String(int64_t low, int64_t high, const std::string& name) {
    Rule("char", R"([^"\\\x01-\x1F\x7F\uD800-\uDFFF] | "\\" (["\\bfnrt] | )"
                 R"("u00" ("0" [1-9a-f] | "1" [0-9a-f])))");
    const auto quoted = [](const std::string& body) { return R"("\"" )" + body + R"( "\"")"; };
    if (low == 0 && high == GrammarLimits::kStringChars) {
      Rule("char-block", Repeat("char", kBlockChars, kBlockChars));
      return Rule("string", quoted("char-block" + Repeat("", 0, high / kBlockChars) + " char" +
                                   Repeat("", 0, kBlockChars - 1)));
    }
    if (high - low < 1000) {
      return Rule(name + "-string", quoted(Repeat("char", low, high)));
    }
    // Whole blocks, then less than one: the parts cannot be confused, so the matcher keeps two
    // states and not thousands.
    Rule("char-block", Repeat("char", kBlockChars, kBlockChars));
    const int64_t blocks = (high - low - (kBlockChars - 1)) / kBlockChars;
    return Rule(name + "-string",
                quoted((low > 0 ? Repeat("char", low, low) + " " : "") + "char-block" +
                       Repeat("", 0, blocks) + " char" + Repeat("", 0, kBlockChars - 1)));
  }

  std::string Number() {
    return Rule("number", R"("-"? ("0" | [1-9] [0-9]{0,14}) ("." [0-9]{1,15})?)");
  }

  std::string List(const std::string& item, int64_t low, int64_t high) {
    if (high == 0) {
      return R"("[]")";
    }
    const std::string more = high == 1 ? ""
                                       : " (" + item_ + " " + item + ")" +
                                             Repeat("", std::max<int64_t>(0, low - 1), high - 1);
    return low == 0 ? R"("[" ()" + item + more + R"()? "]")" : R"("[" )" + item + more + R"( "]")";
  }

  // Any JSON value of at most `depth` levels of lists and objects.
  std::string Any(int depth) {
    const std::string name = "any" + std::to_string(depth);
    if (names_.contains(name)) {
      return name;
    }
    std::string body = String(0, GrammarLimits::kStringChars, "") + " | " + Number() +
                       R"( | "true" | "false" | "null")";
    if (depth > 0) {
      const std::string inner = Any(depth - 1);
      Rule("key", R"("\"" [A-Za-z0-9_.-]{1,64} "\"")");
      const std::string member = "key " + key_ + " " + inner;
      body += " | " + List(inner, 0, GrammarLimits::kListItems) + R"( | "{" ()" + member + " (" +
              item_ + " " + member + ")" + Repeat("", 0, GrammarLimits::kListItems - 1) +
              R"()? "}")";
    }
    return Rule(name, body);
  }

 public:
  std::string Take() { return std::move(text_); }

 private:
  std::string key_;
  std::string item_;
  std::string text_;
  std::set<std::string> names_;
};

// What an answer may begin with: anything but what begins a call. That holds for a control token too:
// to the matcher its name is text, so both alternatives would stay open.
std::string FirstClass(const CallFrame& frame) {
  std::string excluded;
  if (!frame.prefix.empty()) {
    const char first = frame.prefix.front().text[0];
    excluded =
        std::string(first == '[' || first == ']' || first == '\\' || first == '-' ? "\\" : "") +
        first;
  }
  return "[^" + excluded + R"(\x01-\x1F\x7F\uD800-\uDFFF])";
}

}  // namespace

Result<std::string> MakeGrammar(const std::vector<ToolSchema>& tools, const CallFrame& frame) {
  Builder builder(frame);
  if (tools.empty()) {
    builder.Text(R"([^\x01-\x1F\x7F\uD800-\uDFFF])");
    builder.Rule("root", "say");
    return builder.Take();
  }
  std::vector<std::string> calls;
  for (const ToolSchema& tool : tools) {
    if (!IsPlainName(tool.name)) {
      return Error{ErrorCode::kInvalidArgument, "tool name outside [A-Za-z0-9_.-]{1,64}"};
    }
    if (!tool.parameters.is_object()) {
      return Error{ErrorCode::kInvalidArgument, "the schema of " + tool.name + " is no object"};
    }
    const std::string name = "t" + std::to_string(calls.size());
    Result<std::string> arguments = builder.Object(tool.parameters, name, 0);
    if (!arguments.ok()) {
      return WithContext("schema of " + tool.name, arguments.error());
    }
    calls.push_back(builder.Rule(name, Literal(tool.name) + " " + Literal(frame.infix) + " " +
                                           std::move(arguments).value()));
  }
  builder.Rule("call",
               Literal(frame.prefix) + " (" + Join(calls, " | ") + ") " + Literal(frame.suffix));
  builder.Text(FirstClass(frame));
  builder.Rule("root", "call | say");
  return builder.Take();
}

Result<std::string> MakeAnswerGrammar(const OrderedJson& schema, const CallFrame& frame) {
  if (!schema.is_object()) {
    return Error{ErrorCode::kInvalidArgument, "the schema of the answer is no object"};
  }
  Builder builder(frame);
  const std::string object = NACRE_TRY(builder.Object(schema, "answer", 0));
  builder.Rule("root", object);
  return builder.Take();
}

}  // namespace nacre::inference
