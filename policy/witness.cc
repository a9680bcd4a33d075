#include "policy/witness.h"

#include <re2/re2.h>

#include <algorithm>
#include <cctype>
#include <optional>

#include "policy/internal/matcher.h"
#include "policy/path_glob.h"

namespace nacre::policy {
namespace {

using Kind = ArgumentMatcher::Kind;

constexpr size_t kValuesMax = 16;  // of one condition
constexpr size_t kItemsMax = 64;   // of a list that is made
constexpr size_t kPatternDepthMax = 16;
constexpr size_t kSampleBytesMax = 4096;

// A short text that a regular expression of the usual kinds matches. Whoever calls asks RE2 whether it
// does.
class PatternSample final {
 public:
  explicit PatternSample(const std::string& pattern) : pattern_(pattern) {}
  std::string Make() {
    if (pattern_.compare(0, 2, "(?") == 0 && pattern_.find(')') < 6) {
      at_ = pattern_.find(')') + 1;  // flags
    }
    return Alternatives(0);
  }

 private:
  bool More() const { return at_ < pattern_.size(); }

  // The first of them; the others are skipped.
  std::string Alternatives(size_t depth) {
    std::string first = Sequence(depth);
    while (More() && pattern_[at_] == '|') {
      ++at_;
      Sequence(depth);
    }
    return first;
  }

  std::string Sequence(size_t depth) {
    std::string text;
    while (More() && pattern_[at_] != '|' && pattern_[at_] != ')') {
      const std::string atom = Atom(depth);
      for (size_t i = Times(); i > 0 && text.size() < kSampleBytesMax; --i) {
        text += atom;
      }
    }
    return text;
  }

  std::string Atom(size_t depth) {
    const char c = pattern_[at_++];
    switch (c) {
      case '(': {
        if (pattern_.compare(at_, 2, "?:") == 0) {
          at_ += 2;
        }
        std::string inner = depth < kPatternDepthMax ? Alternatives(depth + 1) : "";
        at_ += More() ? 1 : 0;
        return inner;
      }
      case '[':
        return Class();
      case '.':
        return "x";
      case '^':
      case '$':
        return "";
      case '\\': {
        const char escaped = More() ? pattern_[at_++] : 'x';
        return escaped == 'd'   ? "1"
               : escaped == 'w' ? "x"
               : escaped == 's' ? " "
                                : std::string(1, escaped);
      }
      default:
        return std::string(1, c);
    }
  }

  // One character of the set.
  std::string Class() {
    const bool negated = More() && pattern_[at_] == '^';
    at_ += negated ? 1 : 0;
    std::string inside;
    for (bool first = true; More() && (pattern_[at_] != ']' || first); first = false) {
      if (pattern_[at_] == '\\' && at_ + 1 < pattern_.size()) {
        ++at_;
      }
      const char from = pattern_[at_++];
      inside += from;
      if (at_ + 1 < pattern_.size() && pattern_[at_] == '-' && pattern_[at_ + 1] != ']') {
        const char to = pattern_[at_ + 1];
        for (int c = from + 1; c <= to; ++c) {
          inside += static_cast<char>(c);
        }
        at_ += 2;
      }
    }
    at_ += More() ? 1 : 0;
    if (!negated) {
      return inside.empty() ? "" : inside.substr(0, 1);
    }
    for (const char c : {'x', '1', '-', 'Q'}) {
      if (inside.find(c) == std::string::npos) {
        return std::string(1, c);
      }
    }
    return "x";
  }

  // How often the atom before this place must stand there.
  size_t Times() {
    if (!More()) {
      return 1;
    }
    size_t times = 1;
    switch (pattern_[at_]) {
      case '*':
      case '?':
      case '+':
        ++at_;
        break;
      case '{': {
        size_t count = 0;
        for (++at_; More() && std::isdigit(static_cast<unsigned char>(pattern_[at_])) != 0; ++at_) {
          count = std::min<size_t>(count * 10 + static_cast<size_t>(pattern_[at_] - '0'), 100);
        }
        while (More() && pattern_[at_++] != '}') {
        }
        times = std::max<size_t>(count, 1);
        break;
      }
      default:
        return 1;
    }
    at_ += More() && pattern_[at_] == '?' ? 1 : 0;  // not greedy
    return times;
  }

  const std::string& pattern_;
  size_t at_ = 0;
};

// "src/x.c" of "src/*.c", with each "**" standing for so many segments.
std::string PathOf(const std::string& glob, size_t segments) {
  std::string path;
  size_t begin = 0;
  while (begin <= glob.size()) {
    const size_t end = std::min(glob.find('/', begin), glob.size());
    const std::string segment = glob.substr(begin, end - begin);
    std::string made;
    if (segment == "**") {
      for (size_t i = 0; i < segments; ++i) {
        made += (made.empty() ? "" : "/") + std::string("x");
      }
    } else {
      for (size_t i = 0; i < segment.size(); ++i) {
        if (segment[i] == '[') {
          const size_t close = segment.find(']', i + 1);
          const bool negated = segment[i + 1] == '!';
          made += negated ? 'x' : segment[i + 1];
          i = close == std::string::npos ? segment.size() : close;
        } else {
          made += segment[i] == '*' || segment[i] == '?' ? 'x' : segment[i];
        }
      }
    }
    if (segment != "**" || !made.empty()) {
      path += (begin > 0 && (!path.empty() || glob[0] == '/') ? "/" : "") + made;
    }
    begin = end + 1;
  }
  return path;
}

// Values that meet the condition, were it not negated.
std::vector<Json> Meeting(const ArgumentMatcher& matcher) {
  switch (matcher.kind) {
    case Kind::kEquals:
    case Kind::kOneOf:
      return {matcher.values.begin(),
              matcher.values.begin() +
                  static_cast<ptrdiff_t>(std::min(matcher.values.size(), kValuesMax))};
    case Kind::kHostIn: {
      std::vector<Json> hosts;
      for (size_t i = 0; i < std::min(matcher.values.size(), kValuesMax); ++i) {
        const auto& host = matcher.values[i].get_ref<const std::string&>();
        hosts.emplace_back(host.compare(0, 2, "*.") == 0 ? "x" + host.substr(1) : host);
      }
      return hosts;
    }
    case Kind::kUnder:
      return {matcher.text == "/" ? "/x" : matcher.text + "/x", matcher.text};
    case Kind::kGlob: {
      std::vector<Json> paths;
      for (std::string& path : PathsOfGlob(matcher.text)) {
        paths.emplace_back(std::move(path));
      }
      return paths;
    }
    case Kind::kMatches: {
      std::string text = PatternSample(matcher.text).Make();
      if (matcher.regex != nullptr && re2::RE2::FullMatch(text, *matcher.regex)) {
        return {std::move(text)};
      }
      return {};
    }
    case Kind::kMaxLength:
      return {std::string(static_cast<size_t>(std::min<int64_t>(matcher.maximum, 1)), 'x')};
    case Kind::kMaxItems:
      return {};  // a list is made for its elements
    case Kind::kRange:
      return {matcher.minimum, matcher.maximum};
  }
  return {};
}

// Values that do not, of the same type.
std::vector<Json> Missing(const ArgumentMatcher& matcher) {
  switch (matcher.kind) {
    case Kind::kEquals:
    case Kind::kOneOf:
      return matcher.values.at(0).is_number() ? std::vector<Json>{987'654'321}
                                              : std::vector<Json>{"other"};
    case Kind::kUnder:
    case Kind::kGlob:
      return {"/workspace/other", "/other"};
    case Kind::kHostIn:
      return {"other.example"};
    case Kind::kMatches:
      return {"other", "", "0"};
    case Kind::kMaxLength:
      return {std::string(static_cast<size_t>(std::min<int64_t>(matcher.maximum, 4095)) + 1, 'x')};
    case Kind::kMaxItems:
      return {};
    case Kind::kRange:
      return matcher.maximum < 1'000'000'000 ? std::vector<Json>{matcher.maximum + 1}
                                             : std::vector<Json>{};
  }
  return {};
}

void Put(Json& at, const std::vector<PathStep>& steps, size_t index, const Json& value) {
  if (index == steps.size()) {
    at = value;
    return;
  }
  const PathStep& step = steps[index];
  if (step.kind == PathStep::Kind::kMember) {
    if (!at.is_object()) {
      at = Json::object();
    }
    Put(at[step.name], steps, index + 1, value);
    return;
  }
  // An element that need not be at one place is added, unless it is one of maps, whose members meet
  // several conditions.
  const bool added =
      at.is_array() && (step.kind == PathStep::Kind::kSome || index + 1 == steps.size());
  const size_t place = step.kind == PathStep::Kind::kIndex ? std::min(step.index, kItemsMax)
                       : added                             ? std::min(at.size(), kItemsMax)
                                                           : 0;
  if (!at.is_array()) {
    at = Json::array();
  }
  while (at.size() <= place) {
    at.push_back("x");
  }
  Put(at[place], steps, index + 1, value);
}

// A value of the type that the schema names.
Json Example(const Json& schema) {
  if (const Json* choices = FindMember(schema, "enum");
      choices != nullptr && choices->is_array() && !choices->empty()) {
    return choices->at(0);
  }
  const std::string type = StringMember(schema, "type");
  if (type == "integer" || type == "number") {
    return IntMember(schema, "minimum", 1);
  }
  if (type == "boolean") {
    return false;
  }
  if (type == "object") {
    return Json::object();
  }
  if (type == "array") {
    const Json* items = FindMember(schema, "items");
    return Json::array({items != nullptr ? Example(*items) : Json("x")});
  }
  return "x";
}

void AddRequired(const Json& schema, Json& arguments) {
  const Json* required = FindMember(schema, "required");
  const Json* properties = FindMember(schema, "properties");
  if (required == nullptr || properties == nullptr || !required->is_array()) {
    return;
  }
  for (const Json& name : *required) {
    if (name.is_string() && !arguments.contains(name.get<std::string>())) {
      const Json* property = FindMember(*properties, name.get<std::string>());
      arguments[name.get<std::string>()] = property != nullptr ? Example(*property) : Json("x");
    }
  }
}

}  // namespace

std::vector<Json> ValuesMeeting(const ArgumentMatcher& matcher) {
  return Meeting(matcher);
}

void PutArgument(Json& arguments, const std::vector<PathStep>& steps, const Json& value) {
  Put(arguments, steps, 0, value);
}

void AddRequiredArguments(const Json& schema, Json& arguments) {
  AddRequired(schema, arguments);
}

std::vector<std::string> PathsOfGlob(const std::string& glob) {
  std::vector<std::string> paths;
  for (const size_t segments : {size_t{1}, size_t{0}, size_t{2}}) {
    std::string path = PathOf(glob, segments);
    if (GlobMatches(glob, path) && std::find(paths.begin(), paths.end(), path) == paths.end()) {
      paths.push_back(std::move(path));
    }
  }
  return paths;
}

std::vector<CandidateCall> CandidateCalls(const std::vector<const ToolRule*>& rules,
                                          const ToolSchemaList& tools, size_t calls_max) {
  struct Choice {
    const ToolRule* rule;
    const ArgumentMatcher* matcher;
    std::vector<Json> values;
  };
  std::vector<Choice> choices;
  for (const ToolRule* rule : rules) {
    for (const ArgumentMatcher& matcher : rule->arguments) {
      std::vector<Json> values = matcher.negated ? Missing(matcher) : Meeting(matcher);
      const auto known = std::find_if(choices.begin(), choices.end(), [&](const Choice& choice) {
        return choice.rule == rule && choice.matcher->path == matcher.path;
      });
      if (known == choices.end() && !values.empty()) {
        choices.push_back({rule, &matcher, std::move(values)});
      } else if (known != choices.end() && !matcher.negated) {
        known->values.insert(known->values.end(), values.begin(), values.end());
      }
    }
  }
  size_t product = 1;
  for (const Choice& choice : choices) {
    product = std::min<size_t>(product * choice.values.size(), calls_max);
  }
  std::vector<CandidateCall> calls;
  for (const auto& [tool, schema] : tools) {
    if (!std::all_of(rules.begin(), rules.end(),
                     [&](const ToolRule* rule) { return RuleCoversTool(*rule, tool); })) {
      continue;
    }
    for (size_t number = 0; number < product && calls.size() < calls_max; ++number) {
      CandidateCall call{tool, Json::object()};
      size_t rest = number;
      for (const Choice& choice : choices) {
        Put(call.arguments, choice.matcher->steps, 0, choice.values[rest % choice.values.size()]);
        rest /= choice.values.size();
      }
      AddRequired(schema, call.arguments);
      calls.push_back(std::move(call));
    }
  }
  return calls;
}

}  // namespace nacre::policy
