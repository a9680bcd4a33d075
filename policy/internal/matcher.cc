#include "policy/internal/matcher.h"

#include <re2/re2.h>

#include <algorithm>
#include <charconv>

#include "policy/internal/display.h"
#include "policy/internal/sandbox_path.h"
#include "policy/path_glob.h"

namespace nacre::policy {
namespace {

constexpr size_t kStepsMax = 8;
constexpr size_t kIndexMax = 9999;
constexpr size_t kNameBytesMax = 64;
constexpr size_t kChoicesShownMax = 3;

bool IsMemberCharacter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '-' || c == '$';
}

// "Does not apply" and "no" differ under `not`: neither makes the condition hold.
enum class Answer { kDoesNotApply = 0, kNo, kYes };

Answer AnswerOf(bool holds) {
  return holds ? Answer::kYes : Answer::kNo;
}

// What is compared: the value, and its text when it is one. Of a path argument, the normal path.
struct Subject {
  const Json* value = nullptr;
  const PathArgument* path = nullptr;

  bool is_text() const { return path != nullptr || value->is_string(); }
  const std::string& text() const {
    return path != nullptr ? path->path : value->get_ref<const std::string&>();
  }
};

// A path may be named in full, or relative to the workspace ("." is the workspace itself).
bool EqualsPath(const std::string& path, const std::string& wanted) {
  if (!wanted.empty() && wanted.front() == '/') {
    return path == wanted;
  }
  const std::optional<std::string> relative = WorkspaceRelative(path);
  return relative.has_value() && (relative->empty() ? "." : *relative) == wanted;
}

Answer IsOneOf(const ArgumentMatcher& matcher, const Subject& subject) {
  if (subject.value->is_structured() || subject.value->is_null()) {
    return Answer::kDoesNotApply;
  }
  return AnswerOf(
      std::any_of(matcher.values.begin(), matcher.values.end(), [&](const Json& wanted) {
        return subject.path != nullptr && wanted.is_string()
                   ? EqualsPath(subject.path->path, wanted.get_ref<const std::string&>())
                   : *subject.value == wanted;
      }));
}

Answer MatchesGlob(const ArgumentMatcher& matcher, const Subject& subject) {
  if (subject.path == nullptr || matcher.text.front() == '/') {
    return AnswerOf(GlobMatches(matcher.text, subject.text()));
  }
  const std::optional<std::string> relative = WorkspaceRelative(subject.text());
  return AnswerOf(relative.has_value() && GlobMatches(matcher.text, *relative));
}

Answer Under(const ArgumentMatcher& matcher, const Subject& subject) {
  const std::optional<std::string> path = NormalisePath(subject.text());
  return path.has_value() ? AnswerOf(IsUnder(*path, matcher.text)) : Answer::kDoesNotApply;
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

// Follows the steps of one condition through the arguments, and remembers where it failed first.
class Walk {
 public:
  Walk(const ArgumentMatcher& matcher, const Request& request)
      : matcher_(matcher), request_(request) {}

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
      const Answer answer = Ask(matcher_, {value, PathArgumentHere()});
      const bool holds = answer == (matcher_.negated ? Answer::kNo : Answer::kYes);
      return holds || Fail({.path = at_, .value = value, .answer = answer});
    }
    const PathStep& step = matcher_.steps[index];
    switch (step.kind) {
      case PathStep::Kind::kMember:
        return Descend(at_.empty() ? step.name : "." + step.name, FindMember(*value, step.name),
                       index);
      case PathStep::Kind::kIndex:
        return Descend(
            "[" + std::to_string(step.index) + "]",
            value->is_array() && step.index < value->size() ? &(*value)[step.index] : nullptr,
            index);
      case PathStep::Kind::kEvery:
        return Every(*value, index);
      case PathStep::Kind::kSome:
        return Some(*value, index);
    }
    return false;
  }

  bool Descend(const std::string& suffix, const Json* value, size_t index) {
    const size_t size = at_.size();
    at_ += suffix;
    const bool holds = Step(value, index + 1);
    at_.resize(size);
    return holds;
  }

  bool Every(const Json& list, size_t index) {
    if (!list.is_array() || list.empty()) {
      return Fail({.path = at_ + "[*]"});
    }
    for (size_t i = 0; i < list.size(); ++i) {
      if (!Descend("[" + std::to_string(i) + "]", &list[i], index)) {
        return false;
      }
    }
    return true;
  }

  bool Some(const Json& list, size_t index) {
    const Failure before = failure_;
    for (size_t i = 0; list.is_array() && i < list.size(); ++i) {
      if (Descend("[" + std::to_string(i) + "]", &list[i], index)) {
        return true;
      }
    }
    failure_ = before;
    return Fail({.path = at_ + "[?]", .none = true});
  }

  bool Fail(Failure failure) {
    failure_ = std::move(failure);
    return false;
  }

  const PathArgument* PathArgumentHere() const {
    for (const PathArgument& path : request_.paths) {
      if (path.key == at_) {
        return &path;
      }
    }
    return nullptr;
  }

  const ArgumentMatcher& matcher_;
  const Request& request_;
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
    if (text[i] == '[') {
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

bool ToolCovers(const std::string& pattern, const std::string& tool) {
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
  return Walk(matcher, request).Run();
}

size_t ConditionsHeld(const ToolRule& rule, const Request& request) {
  size_t held = 0;
  while (held < rule.arguments.size() && Holds(rule.arguments[held], request)) {
    ++held;
  }
  return held;
}

std::string DescribeFailure(const ArgumentMatcher& matcher, const Request& request) {
  Walk walk(matcher, request);
  walk.Run();
  const Walk::Failure& failure = walk.failure();
  if (failure.none) {
    return "no element of " + failure.path + " meets " + MatcherName(matcher.kind);
  }
  if (failure.value == nullptr) {
    return failure.path + " is missing";
  }
  if (failure.answer == Answer::kDoesNotApply) {
    return failure.path + " has a type that " + MatcherName(matcher.kind) + " does not accept";
  }
  const bool counted = matcher.kind == ArgumentMatcher::Kind::kMaxLength ||
                       matcher.kind == ArgumentMatcher::Kind::kMaxItems;
  return failure.path + (counted ? "" : " " + ShownValue(*failure.value)) + " " +
         WhatFailed(matcher);
}

const char* MatcherName(ArgumentMatcher::Kind kind) {
  using Kind = ArgumentMatcher::Kind;
  switch (kind) {
    case Kind::kEquals:
      return "equals";
    case Kind::kOneOf:
      return "one_of";
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
