// The oracle: what docs/policy-reference.md says about a call, as slow and obvious code. It asks every
// condition of every rule, and shares with the engine only the values and how a host is read.
#pragma once

#include <re2/re2.h>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "policy/decision.h"
#include "policy/internal/host.h"
#include "policy/policy.h"
#include "policy/rate.h"
#include "policy/request.h"

namespace nacre::policy::oracle {

struct Expected {
  Verdict verdict = Verdict::kDeny;
  std::string rule = "default";
  std::vector<Approvers> approvers = {};  // in any order, each once
};

inline std::vector<std::string> Split(const std::string& text) {
  std::vector<std::string> parts;
  std::string part;
  for (const char c : text) {
    if (c == '/') {
      parts.push_back(std::exchange(part, {}));
    } else {
      part += c;
    }
  }
  if (!text.empty()) {
    parts.push_back(part);
  }
  return parts;
}

// For the globs of tests/support/random_policy.h: ASCII, without sets.
inline bool SegmentFits(const std::string& glob, size_t g, const std::string& name, size_t n) {
  if (g == glob.size()) {
    return n == name.size();
  }
  if (glob[g] == '*') {
    return SegmentFits(glob, g + 1, name, n) ||
           (n < name.size() && SegmentFits(glob, g, name, n + 1));
  }
  return n < name.size() && (glob[g] == '?' || glob[g] == name[n]) &&
         SegmentFits(glob, g + 1, name, n + 1);
}

inline bool GlobFits(const std::vector<std::string>& glob, size_t g,
                     const std::vector<std::string>& path, size_t p) {
  if (g == glob.size()) {
    return p == path.size();
  }
  if (glob[g] == "**") {
    return GlobFits(glob, g + 1, path, p) || (p < path.size() && GlobFits(glob, g, path, p + 1));
  }
  return p < path.size() && SegmentFits(glob[g], 0, path[p], 0) &&
         GlobFits(glob, g + 1, path, p + 1);
}

// Absolute and free of ".", ".." and "//", counted from the workspace; nullopt for no path.
inline std::optional<std::vector<std::string>> Normal(const std::string& text) {
  if (text.empty() || text.find('\0') != std::string::npos) {
    return std::nullopt;
  }
  std::vector<std::string> folders;
  for (const std::string& part : Split(text[0] == '/' ? text : "/workspace/" + text)) {
    if (part == ".." && !folders.empty()) {
      folders.pop_back();
    } else if (part != ".." && part != "." && !part.empty()) {
      folders.push_back(part);
    }
  }
  return folders;
}

inline bool Begins(const std::vector<std::string>& path, const std::vector<std::string>& folder) {
  return path.size() >= folder.size() &&
         std::vector<std::string>(path.begin(), path.begin() + static_cast<long>(folder.size())) ==
             folder;
}

// "src/a" of /workspace/src/a, "" of /workspace; nullopt outside.
inline std::optional<std::string> InWorkspace(const std::string& path) {
  if (path == "/workspace") {
    return "";
  }
  return path.rfind("/workspace/", 0) == 0 ? std::optional(path.substr(11)) : std::nullopt;
}

// Beyond what int64_t holds, which nlohmann takes for negative.
inline bool Huge(const Json& value) {
  return value.is_number_unsigned() && value.get<uint64_t>() > uint64_t{INT64_MAX};
}

enum class Met { kNo, kYes, kWrongType, kUnsure };

inline Met Ask(const ArgumentMatcher& matcher, const Json& value, const PathArgument* path) {
  using Kind = ArgumentMatcher::Kind;
  const auto met = [](bool yes) { return yes ? Met::kYes : Met::kNo; };
  const std::string text = path != nullptr     ? path->path
                           : value.is_string() ? value.get<std::string>()
                                               : std::string();
  const bool is_text = path != nullptr || value.is_string();
  switch (matcher.kind) {
    case Kind::kEquals:
    case Kind::kOneOf:
      if (value.is_null() || value.is_array() || value.is_object()) {
        return Met::kWrongType;
      }
      for (const Json& wanted : matcher.values) {
        if (path == nullptr || !wanted.is_string() ||
            wanted.get<std::string>().rfind('/', 0) == 0) {
          if (wanted == (path != nullptr ? Json(text) : value) &&
              (wanted.is_number_float() || value.is_number_float() ||
               Huge(wanted) == Huge(value))) {
            return Met::kYes;
          }
        } else if (const auto inside = InWorkspace(text)) {
          if (wanted.get<std::string>() == (inside->empty() ? "." : *inside)) {
            return Met::kYes;
          }
        }
      }
      return Met::kNo;
    case Kind::kMaxItems:
      return value.is_array() ? met(static_cast<int64_t>(value.size()) <= matcher.maximum)
                              : Met::kWrongType;
    case Kind::kRange:
      return value.is_number() ? met(!Huge(value) && value >= Json(matcher.minimum) &&
                                     value <= Json(matcher.maximum))
                               : Met::kWrongType;
    default:
      break;
  }
  if (!is_text) {
    return Met::kWrongType;
  }
  if (matcher.kind == Kind::kMaxLength) {
    return met(static_cast<int64_t>(text.size()) <= matcher.maximum);
  }
  if (matcher.kind == Kind::kMatches) {
    return met(re2::RE2::FullMatch(text, matcher.text));
  }
  if (matcher.kind == Kind::kUnder) {
    const auto normal = Normal(text);
    return normal.has_value() ? met(Begins(*normal, *Normal(matcher.text))) : Met::kWrongType;
  }
  if (matcher.kind == Kind::kGlob) {
    if (path == nullptr || matcher.text[0] == '/') {
      return met(GlobFits(Split(matcher.text), 0, Split(text), 0));
    }
    const auto inside = InWorkspace(text);
    return met(inside.has_value() && GlobFits(Split(matcher.text), 0, Split(*inside), 0));
  }
  const auto host = HostOf(text);
  for (const Json& pattern : matcher.values) {
    if (host.has_value() && HostMatches(pattern.get<std::string>(), *host)) {
      return Met::kYes;
    }
  }
  return host.has_value() ? Met::kNo : Met::kUnsure;
}

inline bool Holds(const ArgumentMatcher& matcher, const Request& request, const Json* value,
                  size_t step, const std::string& at) {
  if (value == nullptr) {
    return false;
  }
  if (step == matcher.steps.size()) {
    const PathArgument* path = nullptr;
    for (const PathArgument& each : request.paths) {
      path = each.key == at ? &each : path;
    }
    const Met met = Ask(matcher, *value, path);
    return met == (matcher.negated ? Met::kNo : Met::kYes) ||
           (met == Met::kUnsure && matcher.holds_when_unsure);
  }
  const PathStep& here = matcher.steps[step];
  if (here.kind == PathStep::Kind::kMember) {
    const bool there = value->is_object() && value->contains(here.name);
    return Holds(matcher, request, there ? &(*value)[here.name] : nullptr, step + 1,
                 at.empty() ? here.name : at + "." + here.name);
  }
  const size_t size = value->is_array() ? value->size() : 0;
  size_t met = 0;
  for (size_t i = 0; i < size; ++i) {
    const bool asked = here.kind != PathStep::Kind::kIndex || here.index == i;
    met += asked &&
           Holds(matcher, request, &(*value)[i], step + 1, at + "[" + std::to_string(i) + "]");
  }
  return here.kind == PathStep::Kind::kEvery ? size > 0 && met == size : met > 0;
}

inline bool SpeaksOf(const std::vector<std::string>& tools, const std::string& tool) {
  for (const std::string& name : tools) {
    const bool prefix = name.size() > 2 && name.substr(name.size() - 2) == ".*";
    const std::string stem = name.substr(0, name.size() - 1);
    if (name == "*") {
      return true;
    }
    if (prefix ? tool.size() > stem.size() && tool.substr(0, stem.size()) == stem : name == tool) {
      return true;
    }
  }
  return false;
}

// A hidden folder hides what is in it.
inline bool Covered(const std::vector<std::string>& globs, const std::string& inside) {
  std::vector<std::string> above;
  for (const std::string& part : Split(inside)) {
    above.push_back(part);
    for (const std::string& glob : globs) {
      if (GlobFits(Split(glob), 0, above, 0)) {
        return true;
      }
    }
  }
  return false;
}

inline void AddOnce(const Approvers& approvers, std::vector<Approvers>& to) {
  for (const Approvers& each : to) {
    if (each == approvers) {
      return;
    }
  }
  to.push_back(approvers);
}

inline bool Matches(const ToolRule& rule, const Request& request) {
  bool matches = SpeaksOf(rule.tools, request.tool);
  for (const ArgumentMatcher& matcher : rule.arguments) {
    matches = matches && Holds(matcher, request, &request.arguments, 0, "");
  }
  return matches;
}

// Of those that match: a deny, else the first that asks, else the first that allows.
inline const ToolRule* Decider(const std::vector<ToolRule>& rules, const Request& request) {
  for (const Verdict verdict : {Verdict::kDeny, Verdict::kAsk, Verdict::kAllow}) {
    for (const ToolRule& rule : rules) {
      if (rule.verdict == verdict && Matches(rule, request)) {
        return &rule;
      }
    }
  }
  return nullptr;
}

// Whether the tool or an effect is one that the flow speaks of, and each of its conditions holds.
inline bool Flows(const FlowRule& rule, const Request& request) {
  bool to = SpeaksOf(rule.tools, request.tool);
  for (const CallEffect effect : request.flow.effects) {
    for (const CallEffect named : rule.effects) {
      to = to || effect == named;
    }
  }
  const Label& context = request.flow.context;
  bool category = rule.categories.empty();
  for (const std::string& each : rule.categories) {
    category = category || context.categories.count(each) == 1;
  }
  bool argument = rule.roles.empty();
  for (const ArgumentOrigin& each : request.flow.arguments) {
    for (const ArgumentRole role : rule.roles) {
      for (const Origin origin : rule.origins) {
        argument = argument || (each.role == role && each.origin == origin);
      }
    }
  }
  return to && category && argument &&
         !(rule.when_untrusted && context.integrity == Integrity::kTrusted) &&
         !(rule.at_least.has_value() && context.confidentiality < *rule.at_least);
}

// A stricter answer takes the place of another; who asks too is asked as well.
inline void Stricter(Verdict verdict, const std::string& rule, const Approvers& approvers,
                     Expected& expected) {
  if (verdict < expected.verdict) {
    expected = {verdict, rule, {}};
  }
  if (verdict == Verdict::kAsk && expected.verdict == Verdict::kAsk) {
    AddOnce(approvers, expected.approvers);
  }
}

inline void JudgeFlows(const PolicyDocument& policy, const Request& request, Expected& expected) {
  for (const Verdict verdict : {Verdict::kDeny, Verdict::kAsk}) {
    for (const FlowRule& rule : policy.data.flows) {
      if (rule.verdict == verdict && Flows(rule, request)) {
        Stricter(verdict, "data." + rule.id, rule.approvers, expected);
      }
    }
  }
}

// A text that was withheld: shown or believed by a person's yes only, told of by the listed types only.
inline void JudgeQuarantine(const PolicyDocument& policy, const Request& request,
                            Expected& expected) {
  const bool extract = request.tool == "data.extract";
  const bool endorse = request.tool == "data.endorse";
  if (!extract && !endorse && request.tool != "data.reveal") {
    return;
  }
  bool allowed = policy.data.quarantine.present && !extract;
  for (const std::string& type : policy.data.quarantine.extract) {
    allowed = allowed || (policy.data.quarantine.present && request.arguments["type"] == type);
  }
  if (!allowed || (endorse && request.arguments["text"].get<std::string>().size() > 4096)) {
    Stricter(Verdict::kDeny, "data.quarantine", {}, expected);
  } else if (!extract && expected.verdict == Verdict::kAllow) {
    Stricter(Verdict::kAsk, "data.quarantine", {}, expected);
  }
}

// The first rate whose calls are used up.
inline void JudgeRates(const PolicyDocument& policy, const std::string& tool,
                       const CallHistory& history, Expected& expected) {
  for (const CallRate& rate : policy.budgets.rates) {
    uint64_t ran = 0;
    for (const auto& [span, counts] : history) {
      for (const auto& [name, count] : counts) {
        ran += span == rate.per && SpeaksOf(rate.tools, name) ? count : 0;
      }
    }
    if (SpeaksOf(rate.tools, tool) && ran >= rate.calls) {
      Stricter(Verdict::kDeny, "budgets." + rate.id, {}, expected);
    }
  }
}

inline Expected Judge(const PolicyDocument& policy, const Request& request) {
  for (const PathArgument& path : request.paths) {
    const auto inside = InWorkspace(path.path);
    if (!inside.has_value()) {
      continue;
    }
    if (policy.grant.workspace == WorkspaceMode::kNone) {
      return {Verdict::kDeny, "workspace.mode"};
    }
    if (Covered(policy.grant.hide, *inside)) {
      return {Verdict::kDeny, "workspace.hide"};
    }
    if (path.access == PathAccess::kWrite && Covered(policy.grant.protect, *inside)) {
      return {Verdict::kDeny, "workspace.protect"};
    }
    if (path.access == PathAccess::kWrite && policy.grant.workspace == WorkspaceMode::kReadOnly) {
      return {Verdict::kDeny, "workspace.mode"};
    }
  }
  const ToolRule* rule = Decider(policy.tools, request);
  if (rule == nullptr) {
    return {};
  }
  Expected expected{rule->verdict, "tools." + rule->id, {}};
  for (const ToolRule& other : policy.tools) {
    if (other.verdict == Verdict::kAsk && Matches(other, request)) {
      Stricter(Verdict::kAsk, "tools." + other.id, other.approvers, expected);
    }
  }
  for (const Verdict verdict : {Verdict::kDeny, Verdict::kAsk}) {
    for (const ToolRule& narrower : policy.narrow) {
      if (narrower.verdict == verdict && Matches(narrower, request)) {
        Stricter(verdict, "narrow." + narrower.id, narrower.approvers, expected);
      }
    }
  }
  JudgeFlows(policy, request, expected);
  JudgeQuarantine(policy, request, expected);
  return expected;
}

// The whole answer, rates included.
inline Expected Judge(const PolicyDocument& policy, const Request& request,
                      const CallHistory& history) {
  Expected expected = Judge(policy, request);
  JudgeRates(policy, request.tool, history, expected);
  return expected;
}

inline bool SameApprovers(const Decision& decision, const Expected& expected) {
  return std::is_permutation(decision.approvers.begin(), decision.approvers.end(),
                             expected.approvers.begin(), expected.approvers.end());
}

}  // namespace nacre::policy::oracle
