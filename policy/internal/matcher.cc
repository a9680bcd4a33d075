#include "policy/internal/matcher.h"

#include <algorithm>
#include <charconv>
#include <limits>
#include <tuple>

#include "policy/internal/display.h"
#include "policy/internal/host.h"
#include "policy/internal/sandbox_path.h"
#include "policy/path_glob.h"

namespace nacre::policy {
namespace {

constexpr size_t kStepsMax = 8;
constexpr size_t kIndexMax = 9999;
constexpr size_t kNameBytesMax = 64;
constexpr size_t kChoicesShownMax = 3;
constexpr size_t kRegexBytesMax = 1024;
constexpr int64_t kRegexMemoryMax = 256 << 10;

bool IsMemberCharacter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '-' || c == '$';
}

bool IsPlainName(const std::string& name) {
  return !name.empty() && name.size() <= kNameBytesMax &&
         std::all_of(name.begin(), name.end(), IsMemberCharacter);
}

// The name of `["NAME"]...`, and in *end where it ends; nullopt for one in another spelling, or that needs no quotes.
std::optional<std::string> QuotedName(std::string_view text, size_t* end) {
  size_t quote = 2;
  while (quote < text.size() && text[quote] != '"') {
    quote += text[quote] == '\\' ? 2 : 1;
  }
  if (quote + 1 >= text.size() || text[quote + 1] != ']') {
    return std::nullopt;
  }
  const std::string_view spelled = text.substr(1, quote);
  const Result<Json> parsed = ParseJson(spelled, {.bytes_max = 8 * kNameBytesMax, .depth_max = 1});
  if (!parsed.ok() || !parsed.value().is_string()) {
    return std::nullopt;
  }
  std::string name = parsed.value().get<std::string>();
  if (name.empty() || name.size() > kNameBytesMax || IsPlainName(name) ||
      DumpJson(parsed.value()) != spelled) {
    return std::nullopt;
  }
  *end = quote + 2;
  return name;
}

// "Does not apply" and "no" differ under `not`: neither makes the condition hold. kUnsure does when
// the condition says so.
enum class Answer { kDoesNotApply = 0, kNo, kYes, kUnsure };

Answer AnswerOf(bool holds) {
  return holds ? Answer::kYes : Answer::kNo;
}

// A path may be named in full, or relative to the workspace ("." is the workspace itself).
bool EqualsPath(const std::string& path, const std::string& wanted) {
  if (!wanted.empty() && wanted.front() == '/') {
    return path == wanted;
  }
  const std::optional<std::string> relative = WorkspaceRelative(path);
  return relative.has_value() && (relative->empty() ? "." : *relative) == wanted;
}

// nlohmann compares 2^64-1 as -1.
bool SameValue(const Json& a, const Json& b) {
  const auto huge = [](const Json& value) {
    return value.is_number_unsigned() &&
           value.get<uint64_t>() > static_cast<uint64_t>(std::numeric_limits<int64_t>::max());
  };
  const bool whole = a.is_number_integer() && b.is_number_integer();
  return (!whole || huge(a) == huge(b)) && a == b;
}

Answer IsOneOf(const ArgumentMatcher& matcher, const Subject& subject) {
  if (subject.value->is_structured() || subject.value->is_null()) {
    return Answer::kDoesNotApply;
  }
  return AnswerOf(
      std::any_of(matcher.values.begin(), matcher.values.end(), [&](const Json& wanted) {
        return subject.path != nullptr && wanted.is_string()
                   ? EqualsPath(subject.path->path, wanted.get_ref<const std::string&>())
                   : SameValue(*subject.value, wanted);
      }));
}

Answer MatchesGlob(const ArgumentMatcher& matcher, const Subject& subject) {
  if (subject.path == nullptr || matcher.text.front() == '/') {
    return AnswerOf(matcher.glob->Matches(subject.text()));
  }
  const std::optional<std::string> relative = WorkspaceRelative(subject.text());
  return AnswerOf(relative.has_value() && matcher.glob->Matches(*relative));
}

Answer Under(const ArgumentMatcher& matcher, const Subject& subject) {
  if (IsNormalPath(subject.text())) {  // as it mostly is: then nothing is copied
    return AnswerOf(IsUnder(subject.text(), matcher.text));
  }
  const std::optional<std::string> path = NormalisePath(subject.text());
  return path.has_value() ? AnswerOf(IsUnder(*path, matcher.text)) : Answer::kDoesNotApply;
}

Answer InHosts(const ArgumentMatcher& matcher, const Subject& subject) {
  const std::optional<std::string> host = HostOf(subject.text());
  if (!host.has_value()) {
    return Answer::kUnsure;
  }
  return AnswerOf(
      std::any_of(matcher.values.begin(), matcher.values.end(), [&](const Json& pattern) {
        return HostMatches(pattern.get_ref<const std::string&>(), *host);
      }));
}

Answer InRange(const ArgumentMatcher& matcher, const Json& value) {
  if (value.is_number_unsigned()) {
    const auto number = value.get<uint64_t>();
    return AnswerOf(matcher.maximum >= 0 && number <= static_cast<uint64_t>(matcher.maximum) &&
                    (matcher.minimum <= 0 || number >= static_cast<uint64_t>(matcher.minimum)));
  }
  if (value.is_number_integer()) {
    const auto number = value.get<int64_t>();
    return AnswerOf(matcher.minimum <= number && number <= matcher.maximum);
  }
  if (value.is_number_float()) {
    const auto number = value.get<double>();
    return AnswerOf(static_cast<double>(matcher.minimum) <= number &&
                    number <= static_cast<double>(matcher.maximum));
  }
  return Answer::kDoesNotApply;
}

Answer Ask(const ArgumentMatcher& matcher, const Subject& subject) {
  using Kind = ArgumentMatcher::Kind;
  switch (matcher.kind) {
    case Kind::kEquals:
    case Kind::kOneOf:
      return IsOneOf(matcher, subject);
    case Kind::kMaxItems:
      return subject.value->is_array()
                 ? AnswerOf(subject.value->size() <= static_cast<size_t>(matcher.maximum))
                 : Answer::kDoesNotApply;
    case Kind::kRange:
      return InRange(matcher, *subject.value);
    case Kind::kHostIn:
    case Kind::kMatches:
    case Kind::kGlob:
    case Kind::kUnder:
    case Kind::kMaxLength:
      break;
  }
  if (!subject.is_text()) {
    return Answer::kDoesNotApply;
  }
  switch (matcher.kind) {
    case Kind::kHostIn:
      return InHosts(matcher, subject);
    case Kind::kMatches:
      return AnswerOf(re2::RE2::FullMatch(subject.text(), *matcher.regex));
    case Kind::kGlob:
      return MatchesGlob(matcher, subject);
    case Kind::kUnder:
      return Under(matcher, subject);
    default:
      return AnswerOf(subject.text().size() <= static_cast<size_t>(matcher.maximum));
  }
}

// The path argument that the condition speaks of: only members of the arguments themselves are.
const PathArgument* PathOf(const ArgumentMatcher& matcher, const Request& request) {
  if (matcher.steps.size() == 1) {
    for (const PathArgument& path : request.paths) {
      if (path.key == matcher.steps[0].name) {
        return &path;
      }
    }
  }
  return nullptr;
}

// Follows the steps of one condition through the arguments, and remembers where it failed first.
class Walk {
 public:
  // `describing`: failure() is wanted, with the path to where it failed.
  Walk(const ArgumentMatcher& matcher, const Request& request, bool describing)
      : Walk(matcher, request, describing, matcher.holds_when_unsure) {}
  // The same, whatever the condition says of what is unsure.
  Walk(const ArgumentMatcher& matcher, const Request& request, bool describing,
       bool holds_when_unsure)
      : matcher_(matcher),
        request_(request),
        describing_(describing),
        holds_when_unsure_(holds_when_unsure) {}

  bool Run() { return Step(&request_.arguments, 0); }

  struct Failure {
    std::string path;             // "argv[3]"
    const Json* value = nullptr;  // null: there is no such argument
    Answer answer = Answer::kDoesNotApply;
    bool none = false;  // no element of a list that needed one
  };
  const Failure& failure() const { return failure_; }

 private:
  bool Step(const Json* value, size_t index) {
    if (value == nullptr) {
      return Fail({.path = at_});
    }
    if (index == matcher_.steps.size()) {
      const Answer answer = Ask(matcher_, {value, PathOf(matcher_, request_)});
      const bool holds = answer == (matcher_.negated ? Answer::kNo : Answer::kYes) ||
                         (answer == Answer::kUnsure && holds_when_unsure_);
      return holds || Fail({.path = at_, .value = value, .answer = answer});
    }
    const PathStep& step = matcher_.steps[index];
    switch (step.kind) {
      case PathStep::Kind::kMember:
        return Descend(step, 0, FindMember(*value, step.name), index);
      case PathStep::Kind::kIndex:
        return Descend(
            step, step.index,
            value->is_array() && step.index < value->size() ? &(*value)[step.index] : nullptr,
            index);
      case PathStep::Kind::kEvery:
        return Every(*value, index);
      case PathStep::Kind::kSome:
        return Some(*value, index);
    }
    return false;
  }

  bool Descend(const PathStep& step, size_t element, const Json* value, size_t index) {
    const size_t size = at_.size();
    if (describing_ && step.kind == PathStep::Kind::kMember) {
      at_ = MemberPath(at_, step.name);
    } else if (describing_) {
      at_ += "[" + std::to_string(element) + "]";
    }
    const bool holds = Step(value, index + 1);
    at_.resize(size);
    return holds;
  }

  bool Every(const Json& list, size_t index) {
    if (!list.is_array() || list.empty()) {
      return Fail({.path = at_ + "[*]"});
    }
    for (size_t i = 0; i < list.size(); ++i) {
      if (!Descend(matcher_.steps[index], i, &list[i], index)) {
        return false;
      }
    }
    return true;
  }

  bool Some(const Json& list, size_t index) {
    for (size_t i = 0; list.is_array() && i < list.size(); ++i) {
      if (Descend(matcher_.steps[index], i, &list[i], index)) {
        return true;
      }
    }
    return Fail({.path = at_ + "[?]", .none = true});
  }

  bool Fail(Failure failure) {
    if (describing_) {
      failure_ = std::move(failure);
    }
    return false;
  }

  const ArgumentMatcher& matcher_;
  const Request& request_;
  const bool describing_;
  const bool holds_when_unsure_;
  std::string at_;
  Failure failure_;
};

std::string Choices(const std::vector<Json>& values) {
  std::string text;
  for (size_t i = 0; i < values.size(); ++i) {
    if (i == kChoicesShownMax) {
      return text + ", …";
    }
    text += i > 0 ? ", " : "";
    text += values[i].is_string() ? ShownText(values[i].get_ref<const std::string&>(), 64)
                                  : ShownValue(values[i]);
  }
  return text;
}

// "is not one of wc, grep, …" or, of a negated condition, "must not be …".
std::string WhatFailed(const ArgumentMatcher& matcher) {
  using Kind = ArgumentMatcher::Kind;
  const bool negated = matcher.negated;
  const std::string text = ShownText(matcher.text, 100);
  const std::string maximum = std::to_string(matcher.maximum);
  switch (matcher.kind) {
    case Kind::kEquals:
      return (negated ? "is excluded: not " : "is not ") + ShownValue(matcher.values[0]);
    case Kind::kOneOf:
      return (negated ? "is excluded: none of " : "is not one of ") + Choices(matcher.values);
    case Kind::kHostIn:
      return (negated ? "is excluded: a host of " : "is not a host of ") + Choices(matcher.values);
    case Kind::kMatches:
    case Kind::kGlob:
      return (negated ? "must not match " : "does not match ") + text;
    case Kind::kUnder:
      return (negated ? "must not be under " : "is not under ") + text;
    case Kind::kMaxLength:
      return (negated ? "is not longer than " : "is longer than ") + maximum + " bytes";
    case Kind::kMaxItems:
      return (negated ? "has not more than " : "has more than ") + maximum + " items";
    case Kind::kRange:
      return (negated ? "must not be between " : "is not between ") +
             std::to_string(matcher.minimum) + " and " + maximum;
  }
  return "";
}

}  // namespace

std::optional<std::vector<PathStep>> ParseArgumentPath(const std::string& text) {
  std::vector<PathStep> steps;
  for (size_t i = 0; i < text.size();) {
    PathStep step;
    if (text.compare(i, 2, "[\"") == 0) {
      size_t length = 0;
      auto name = QuotedName(std::string_view(text).substr(i), &length);
      if (!name.has_value()) {
        return std::nullopt;
      }
      step.name = std::move(*name);
      i += length;
    } else if (text[i] == '[') {
      const size_t end = text.find(']', i);
      if (steps.empty() || end == std::string::npos) {
        return std::nullopt;
      }
      const std::string inside = text.substr(i + 1, end - i - 1);
      if (inside == "*" || inside == "?") {
        step.kind = inside == "*" ? PathStep::Kind::kEvery : PathStep::Kind::kSome;
      } else {
        step.kind = PathStep::Kind::kIndex;
        const char* last = inside.data() + inside.size();
        const auto [parsed, error] = std::from_chars(inside.data(), last, step.index);
        if (error != std::errc() || parsed != last || step.index > kIndexMax ||
            std::to_string(step.index) != inside) {
          return std::nullopt;
        }
      }
      i = end + 1;
    } else {
      if (!steps.empty() && text[i++] != '.') {
        return std::nullopt;
      }
      const size_t start = i;
      while (i < text.size() && IsMemberCharacter(text[i])) {
        ++i;
      }
      step.name = text.substr(start, i - start);
      if (step.name.empty() || step.name.size() > kNameBytesMax) {
        return std::nullopt;
      }
    }
    steps.push_back(std::move(step));
  }
  if (steps.empty() || steps.size() > kStepsMax) {
    return std::nullopt;
  }
  return steps;
}

std::string MemberPath(const std::string& above, const std::string& name) {
  return !IsPlainName(name) ? above + "[" + DumpJson(Json(name)) + "]"
         : above.empty()    ? name
                            : above + "." + name;
}

std::string PathText(const std::vector<PathStep>& steps, size_t count) {
  std::string text;
  for (size_t i = 0; i < count; ++i) {
    const PathStep& step = steps[i];
    switch (step.kind) {
      case PathStep::Kind::kMember:
        text = MemberPath(text, step.name);
        break;
      case PathStep::Kind::kIndex:
        text += "[" + std::to_string(step.index) + "]";
        break;
      case PathStep::Kind::kEvery:
        text += "[*]";
        break;
      case PathStep::Kind::kSome:
        text += "[?]";
        break;
    }
  }
  return text;
}

bool ToolCovers(const std::string& pattern, const std::string& tool) {
  if (pattern == "*") {
    return true;
  }
  if (pattern.size() > 2 && pattern.compare(pattern.size() - 2, 2, ".*") == 0) {
    return tool.size() >= pattern.size() &&
           tool.compare(0, pattern.size() - 1, pattern, 0, pattern.size() - 1) == 0;
  }
  return pattern == tool;
}

bool RuleCoversTool(const ToolRule& rule, const std::string& tool) {
  return std::any_of(rule.tools.begin(), rule.tools.end(),
                     [&](const std::string& pattern) { return ToolCovers(pattern, tool); });
}

bool Holds(const ArgumentMatcher& matcher, const Request& request) {
  return Walk(matcher, request, /*describing=*/false).Run();
}

bool HasStep(const ArgumentMatcher& matcher, PathStep::Kind kind) {
  return std::any_of(matcher.steps.begin(), matcher.steps.end(),
                     [&](const PathStep& step) { return step.kind == kind; });
}

namespace {

struct SubjectVisit {
  const ArgumentMatcher& matcher;
  const Request& request;
  const std::function<bool(const Subject&)>& visit;

  bool Step(const Json* value, size_t index) {
    if (value == nullptr) {
      return false;
    }
    if (index == matcher.steps.size()) {
      return visit({value, PathOf(matcher, request)});
    }
    const PathStep& step = matcher.steps[index];
    if (step.kind == PathStep::Kind::kMember) {
      return Step(FindMember(*value, step.name), index + 1);
    }
    if (step.kind == PathStep::Kind::kIndex) {
      const bool there = value->is_array() && step.index < value->size();
      return Step(there ? &(*value)[step.index] : nullptr, index + 1);
    }
    for (size_t i = 0; value->is_array() && i < value->size(); ++i) {
      if (Step(&(*value)[i], index + 1)) {
        return true;
      }
    }
    return false;
  }
};

}  // namespace

void VisitSubjects(const ArgumentMatcher& matcher, const Request& request,
                   const std::function<bool(const Subject&)>& visit) {
  SubjectVisit{matcher, request, visit}.Step(&request.arguments, 0);
}

re2::RE2::Options PatternOptions(int64_t memory_max) {
  re2::RE2::Options options;
  options.set_log_errors(false);
  options.set_max_mem(memory_max);
  options.set_dot_nl(true);
  return options;
}

std::optional<std::string> SetPattern(ArgumentMatcher& matcher, const std::string& text) {
  if (text.size() > kRegexBytesMax) {
    return "longer than " + std::to_string(kRegexBytesMax) + " bytes";
  }
  auto regex = std::make_shared<const re2::RE2>(text, PatternOptions(kRegexMemoryMax));
  if (!regex->ok()) {
    return "bad regular expression: " + regex->error();
  }
  matcher.text = text;
  matcher.regex = std::move(regex);
  return std::nullopt;
}

size_t PatternSteps(const ArgumentMatcher& matcher) {
  return matcher.regex == nullptr ? 0 : static_cast<size_t>(matcher.regex->ProgramSize());
}

bool AskedBefore(const ArgumentMatcher& a, const ArgumentMatcher& b) {
  using Kind = ArgumentMatcher::Kind;
  const auto rank = [](const ArgumentMatcher& matcher) {
    const auto kind = matcher.kind == Kind::kOneOf ? Kind::kEquals : matcher.kind;
    return matcher.negated ? static_cast<int>(Kind::kRange) + 1 : static_cast<int>(kind);
  };
  return std::forward_as_tuple(rank(a), a.path, a.kind) <
         std::forward_as_tuple(rank(b), b.path, b.kind);
}

size_t ConditionsHeld(const ToolRule& rule, const Request& request) {
  size_t held = 0;
  while (held < rule.arguments.size() && Holds(rule.arguments[held], request)) {
    ++held;
  }
  return held;
}

std::string DescribeFailure(const ArgumentMatcher& matcher, const Request& request) {
  Walk walk(matcher, request, /*describing=*/true);
  walk.Run();
  const Walk::Failure& failure = walk.failure();
  const std::string path = ShownText(failure.path);
  if (failure.none) {
    return "no element of " + path + " meets " + MatcherName(matcher.kind);
  }
  if (failure.value == nullptr) {
    return path + " is missing";
  }
  if (failure.answer == Answer::kDoesNotApply) {
    return path + " has a type that " + MatcherName(matcher.kind) + " does not accept";
  }
  if (failure.answer == Answer::kUnsure) {
    return path + " " + ShownValue(*failure.value) + " names no host for certain";
  }
  const bool counted = matcher.kind == ArgumentMatcher::Kind::kMaxLength ||
                       matcher.kind == ArgumentMatcher::Kind::kMaxItems;
  return path + (counted ? "" : " " + ShownValue(*failure.value)) + " " + WhatFailed(matcher);
}

std::string DescribeUnsure(const ArgumentMatcher& matcher, const Request& request) {
  if (!matcher.holds_when_unsure) {
    return {};
  }
  Walk certain(matcher, request, /*describing=*/true, /*holds_when_unsure=*/false);
  if (certain.Run()) {
    return {};
  }
  const Walk::Failure& failure = certain.failure();
  return ShownText(failure.path) +
         (failure.value == nullptr ? "" : " " + ShownValue(*failure.value)) +
         " names no host for certain";
}

const char* MatcherName(ArgumentMatcher::Kind kind) {
  using Kind = ArgumentMatcher::Kind;
  switch (kind) {
    case Kind::kEquals:
      return "equals";
    case Kind::kOneOf:
      return "one_of";
    case Kind::kHostIn:
      return "host_in";
    case Kind::kMatches:
      return "matches";
    case Kind::kGlob:
      return "glob";
    case Kind::kUnder:
      return "under";
    case Kind::kMaxLength:
      return "max_length";
    case Kind::kMaxItems:
      return "max_items";
    case Kind::kRange:
      return "range";
  }
  return "";
}

}  // namespace nacre::policy
