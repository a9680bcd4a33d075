// The oracle: what docs/policy-reference.md says about a call, as slow and obvious code. It asks every
// condition of every rule, and shares with the engine only the values and how a host is read.
#pragma once

#include <re2/re2.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
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

template <typename T>
bool Has(const std::vector<T>& list, const T& item) {
  return std::find(list.begin(), list.end(), item) != list.end();
}

// As a regular expression over segments that each end with "/". For the globs of
// tests/support/random_policy.h: ASCII, without sets.
inline bool GlobFits(const std::string& glob, const std::string& path) {
  std::string pattern;
  for (size_t i = 0; i < glob.size(); ++i) {
    if (glob.substr(i, 2) == "**") {
      pattern += "([^/]*/)*";
      i += 2;  // with the "/" behind it
    } else {
      pattern += glob[i] == '*'   ? "[^/]*"
                 : glob[i] == '?' ? "[^/]"
                                  : re2::RE2::QuoteMeta(glob.substr(i, 1));
      pattern += i + 1 == glob.size() ? "/" : "";
    }
  }
  return re2::RE2::FullMatch(path.empty() ? "" : path + "/", pattern);
}

// "src/a" of /workspace/src/a, "" of /workspace; nullopt outside.
inline std::optional<std::string> InWorkspace(const std::string& path) {
  if (path == "/workspace") {
    return "";
  }
  return path.starts_with("/workspace/") ? std::optional(path.substr(11)) : std::nullopt;
}

// Beyond what int64_t holds, which nlohmann takes for negative.
inline bool Huge(const Json& value) {
  return value.is_number_unsigned() && value.get<uint64_t>() > uint64_t{INT64_MAX};
}

// Paths of the workspace may be written as they count from there, the workspace itself as ".".
inline bool Equals(const Json& wanted, const Json& value, const PathArgument* path) {
  if (path == nullptr) {
    return wanted == value &&
           (wanted.is_number_float() || value.is_number_float() || Huge(wanted) == Huge(value));
  }
  const auto inside = InWorkspace(path->path);
  return wanted == path->path ||
         (inside.has_value() && wanted.is_string() && wanted == (inside->empty() ? "." : *inside));
}

// Whether the condition, were it not negated, is met; nullopt where it does not speak of such a value.
inline std::optional<bool> Meets(const ArgumentMatcher& matcher, const Json& value,
                                 const PathArgument* path) {
  using Kind = ArgumentMatcher::Kind;
  const std::string text = path != nullptr     ? path->path
                           : value.is_string() ? value.get<std::string>()
                                               : "";
  const bool values = matcher.kind == Kind::kEquals || matcher.kind == Kind::kOneOf;
  const bool speaks = values                            ? value.is_primitive() && !value.is_null()
                      : matcher.kind == Kind::kMaxItems ? value.is_array()
                      : matcher.kind == Kind::kRange    ? value.is_number()
                                                        : path != nullptr || value.is_string();
  if (!speaks) {
    return std::nullopt;
  }
  switch (matcher.kind) {
    case Kind::kEquals:
    case Kind::kOneOf:
      return std::any_of(matcher.values.begin(), matcher.values.end(),
                         [&](const Json& wanted) { return Equals(wanted, value, path); });
    case Kind::kMaxItems:
      return value.size() <= static_cast<size_t>(matcher.maximum);
    case Kind::kRange:
      return !Huge(value) && value >= Json(matcher.minimum) && value <= Json(matcher.maximum);
    case Kind::kMaxLength:
      return text.size() <= static_cast<size_t>(matcher.maximum);
    case Kind::kMatches:
      return re2::RE2::FullMatch(text, matcher.text);
    case Kind::kUnder: {
      if (text.empty() || text.find('\0') != std::string::npos) {
        return std::nullopt;
      }
      const std::string folder = matcher.text == "/" ? "/" : matcher.text + "/";
      const std::filesystem::path full = std::filesystem::path("/workspace") / text;
      return (full.lexically_normal().string() + "/").starts_with(folder);
    }
    case Kind::kGlob: {
      const bool counts_from_workspace = path != nullptr && matcher.text[0] != '/';
      const auto inside = counts_from_workspace ? InWorkspace(text) : text;
      return inside.has_value() && GlobFits(matcher.text, *inside);
    }
    case Kind::kHostIn:
      break;
  }
  const auto host = HostOf(text);
  if (!host.has_value()) {
    // What is unsure meets a rule that denies or asks, negated or not, and no rule that allows.
    return matcher.holds_when_unsure ? std::optional(!matcher.negated) : std::nullopt;
  }
  return std::any_of(matcher.values.begin(), matcher.values.end(), [&](const Json& pattern) {
    return HostMatches(pattern.get<std::string>(), *host);
  });
}

// From the `step`th step on; null where there is nothing. Only members of the arguments themselves are paths.
inline bool Holds(const ArgumentMatcher& matcher, const Request& request, const Json* value,
                  size_t step) {
  if (value == nullptr) {
    return false;
  }
  if (step == matcher.steps.size()) {
    const PathArgument* path = nullptr;
    for (const PathArgument& each : request.paths) {
      path = step == 1 && each.key == matcher.steps[0].name ? &each : path;
    }
    return Meets(matcher, *value, path) == !matcher.negated;
  }
  const PathStep& here = matcher.steps[step];
  if (here.kind == PathStep::Kind::kMember) {
    const bool there = value->is_object() && value->contains(here.name);
    return Holds(matcher, request, there ? &(*value)[here.name] : nullptr, step + 1);
  }
  const size_t size = value->is_array() ? value->size() : 0;
  size_t met = 0;
  for (size_t i = 0; i < size; ++i) {
    const bool asked = here.kind != PathStep::Kind::kIndex || here.index == i;
    met += asked && Holds(matcher, request, &(*value)[i], step + 1);
  }
  return here.kind == PathStep::Kind::kEvery ? size > 0 && met == size : met > 0;
}

inline bool SpeaksOf(const std::vector<std::string>& tools, const std::string& tool) {
  return std::any_of(tools.begin(), tools.end(), [&](const std::string& name) {
    const std::string prefix = name.substr(0, name.size() - 1);  // "fs." of "fs.*"
    return name == "*" || name == tool ||
           (name.ends_with(".*") && tool.starts_with(prefix) && tool != prefix);
  });
}

inline bool Matches(const ToolRule& rule, const Request& request) {
  return SpeaksOf(rule.tools, request.tool) &&
         std::all_of(rule.arguments.begin(), rule.arguments.end(), [&](const auto& matcher) {
           return Holds(matcher, request, &request.arguments, 0);
         });
}

// Whether the tool or an effect is one that the flow speaks of, and each of its conditions holds.
inline bool Matches(const FlowRule& rule, const Request& request) {
  bool to = SpeaksOf(rule.tools, request.tool);
  for (const CallEffect effect : request.flow.effects) {
    to = to || Has(rule.effects, effect);
  }
  const Label& context = request.flow.context;
  bool category = rule.categories.empty();
  for (const std::string& each : rule.categories) {
    category = category || context.categories.count(each) == 1;
  }
  bool argument = rule.roles.empty();
  for (const ArgumentOrigin& each : request.flow.arguments) {
    argument = argument || (Has(rule.roles, each.role) && Has(rule.origins, each.origin));
  }
  return to && category && argument &&
         !(rule.when_untrusted && context.integrity == Integrity::kTrusted) &&
         !(rule.at_least.has_value() && context.confidentiality < *rule.at_least);
}

// What each rule that matches says, as if it stood alone.
template <typename Rule>
void Add(const std::vector<Rule>& rules, const std::string& section, const Request& request,
         std::vector<Expected>& said) {
  for (const Rule& rule : rules) {
    if (Matches(rule, request)) {
      said.push_back({rule.verdict, section + rule.id, {rule.approvers}});
    }
  }
}

// A text that was withheld: shown or believed by a person's yes only, told of by the listed types only.
inline void AddQuarantine(const QuarantineRules& quarantine, const Request& request,
                          std::vector<Expected>& said) {
  const bool extract = request.tool == "data.extract";
  const bool endorse = request.tool == "data.endorse";
  if (!extract && !endorse && request.tool != "data.reveal") {
    return;
  }
  if (!quarantine.present ||
      (extract && !Has(quarantine.extract, request.arguments["type"].get<std::string>())) ||
      (endorse && request.arguments["text"].get<std::string>().size() > 4096)) {
    said.push_back({Verdict::kDeny, "data.quarantine"});
  } else if (!extract && std::all_of(said.begin(), said.end(), [](const Expected& each) {
               return each.verdict == Verdict::kAllow;
             })) {
    said.push_back({Verdict::kAsk, "data.quarantine", {Approvers()}});
  }
}

// A rate of which something is used up denies; what the call is given may not pass its bytes.
inline void AddRates(const std::vector<CallRate>& rates, const Request& request,
                     const CallHistory& history, std::vector<Expected>& said) {
  for (const CallRate& rate : rates) {
    CallUse used{.bytes_out = request.arguments.dump().size()};
    for (const auto& [span, uses] : history) {
      for (const auto& [tool, use] : uses) {
        if (span == rate.per && SpeaksOf(rate.tools, tool)) {
          used.calls += use.calls;
          used.wall += use.wall;
          used.bytes_out += use.bytes_out;
        }
      }
    }
    if (SpeaksOf(rate.tools, request.tool) &&
        ((rate.calls.has_value() && used.calls >= *rate.calls) ||
         (rate.wall.has_value() && used.wall >= *rate.wall) ||
         (rate.bytes_out.has_value() && used.bytes_out > *rate.bytes_out))) {
      said.push_back({Verdict::kDeny, "budgets." + rate.id});
    }
  }
}

// The rule of `workspace` that refuses the path, if any. A hidden folder hides what is in it.
inline std::string RefusedBy(const Grant& grant, const PathArgument& path) {
  const auto inside = InWorkspace(path.path);
  const auto any_fits = [&](const std::vector<std::string>& globs) {
    return std::any_of(globs.begin(), globs.end(),
                       [&](const std::string& glob) { return GlobFits(glob + "/**", *inside); });
  };
  const bool write = path.access == PathAccess::kWrite;
  return !inside.has_value()                                    ? ""
         : grant.workspace == WorkspaceMode::kNone              ? "workspace.mode"
         : any_fits(grant.hide)                                 ? "workspace.hide"
         : write && any_fits(grant.protect)                     ? "workspace.protect"
         : write && grant.workspace == WorkspaceMode::kReadOnly ? "workspace.mode"
                                                                : "";
}

inline Expected Judge(const PolicyDocument& policy, const Request& request,
                      const CallHistory& history = {}) {
  for (const PathArgument& path : request.paths) {
    if (const std::string rule = RefusedBy(policy.grant, path); !rule.empty()) {
      return {Verdict::kDeny, rule};
    }
  }
  std::vector<Expected> said;
  Add(policy.tools, "tools.", request, said);
  if (said.empty()) {
    return {};
  }
  Add(policy.narrow, "narrow.", request, said);
  Add(policy.data.flows, "data.", request, said);
  AddQuarantine(policy.data.quarantine, request, said);
  AddRates(policy.budgets.rates, request, history, said);
  // The strictest decides, the first of equals; where that asks, all who ask are asked.
  Expected expected = said[0];
  for (const Expected& each : said) {
    expected = each.verdict < expected.verdict ? each : expected;
  }
  expected.approvers.clear();
  for (const Expected& each : said) {
    if (expected.verdict == Verdict::kAsk && each.verdict == Verdict::kAsk &&
        !Has(expected.approvers, each.approvers[0])) {
      expected.approvers.push_back(each.approvers[0]);
    }
  }
  return expected;
}

inline bool SameApprovers(const Decision& decision, const Expected& expected) {
  return std::is_permutation(decision.approvers.begin(), decision.approvers.end(),
                             expected.approvers.begin(), expected.approvers.end());
}

}  // namespace nacre::policy::oracle
