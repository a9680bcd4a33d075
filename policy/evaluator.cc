#include "policy/evaluator.h"

#include <optional>
#include <string_view>

#include "policy/internal/coverage.h"
#include "policy/internal/display.h"
#include "policy/internal/matcher.h"
#include "policy/internal/sandbox_path.h"
#include "policy/path_glob.h"

namespace nacre::policy {
namespace {

Decision Refusal(std::string rule, std::string reason, SourceLocation source) {
  return {Verdict::kDeny, std::move(rule), std::move(reason), std::move(source), {}};
}

// True when the glob matches the path or a folder that it is in: what is below a hidden folder is
// hidden, whatever its name.
bool MatchesAtOrAbove(const std::string& glob, std::string_view relative) {
  for (size_t end = relative.find('/'); end != std::string_view::npos;
       end = relative.find('/', end + 1)) {
    if (GlobMatches(glob, relative.substr(0, end))) {
      return true;
    }
  }
  return GlobMatches(glob, relative);
}

std::optional<size_t> FirstMatch(const std::vector<std::string>& globs, std::string_view relative) {
  for (size_t i = 0; i < globs.size(); ++i) {
    if (MatchesAtOrAbove(globs[i], relative)) {
      return i;
    }
  }
  return std::nullopt;
}

std::optional<Decision> JudgePath(const Policy& policy, const PathArgument& argument) {
  if (!IsNormalPath(argument.path)) {
    return Refusal("workspace.paths", ShownPath(argument.path) + " is not a plain path", {});
  }
  const std::optional<std::string> relative = WorkspaceRelative(argument.path);
  if (!relative.has_value()) {
    return std::nullopt;  // only a rule can speak of it
  }
  const Grant& grant = policy.grant;
  if (grant.workspace == WorkspaceMode::kNone) {
    return Refusal("workspace.mode", "policy gives this agent no workspace", policy.mode_source);
  }
  if (const auto glob = FirstMatch(grant.hide, *relative)) {
    return Refusal("workspace.hide", "policy hides " + ShownPath(argument.path),
                   policy.hide_sources.at(*glob));
  }
  if (argument.access == PathAccess::kRead) {
    return std::nullopt;
  }
  if (const auto glob = FirstMatch(grant.protect, *relative)) {
    return Refusal("workspace.protect",
                   "policy protects " + ShownPath(argument.path) + " from changes",
                   policy.protect_sources.at(*glob));
  }
  if (grant.workspace == WorkspaceMode::kReadOnly) {
    return Refusal("workspace.mode", "policy gives this agent a read-only workspace",
                   policy.mode_source);
  }
  return std::nullopt;
}

std::string ReasonForNothing(const Policy& policy, const Request& request) {
  for (const PathArgument& argument : request.paths) {
    if (!IsUnder(argument.path, kWorkspaceRoot)) {
      return ShownPath(argument.path) + " is outside the workspace";
    }
  }
  // The rule of which most held before its first failure: a rule states first what it is about.
  const ToolRule* closest = nullptr;
  size_t most_held = 0;
  for (const ToolRule& rule : policy.tools) {
    if (rule.verdict == Verdict::kDeny || !RuleCoversTool(rule, request.tool)) {
      continue;
    }
    const size_t held = ConditionsHeld(rule, request);
    if (closest == nullptr || held > most_held) {
      closest = &rule;
      most_held = held;
    }
  }
  const std::string tool = ShownText(request.tool, 128);
  if (closest == nullptr) {
    return "no rule allows " + tool;
  }
  return "no rule allows " + tool +
         " with these arguments: " + DescribeFailure(closest->arguments.at(most_held), request);
}

}  // namespace

Decision Evaluate(const Policy& policy, const Request& request) {
  for (const PathArgument& argument : request.paths) {
    if (std::optional<Decision> refusal = JudgePath(policy, argument)) {
      return std::move(*refusal);
    }
  }
  const ToolRule* decider = nullptr;
  for (const ToolRule& rule : policy.tools) {
    // A smaller verdict is a stricter one; among equals the first stays.
    const bool matters = decider == nullptr || rule.verdict < decider->verdict;
    if (matters && RuleCoversTool(rule, request.tool) &&
        ConditionsHeld(rule, request) == rule.arguments.size()) {
      decider = &rule;
    }
  }
  if (decider == nullptr) {
    return Refusal("default", ReasonForNothing(policy, request), {});
  }
  Decision decision{decider->verdict, "tools." + decider->id, decider->reason, decider->source, {}};
  if (decider->verdict != Verdict::kDeny) {
    decision.grant = policy.grant;
  }
  return decision;
}

bool CouldAllow(const Policy& policy, const std::string& tool) {
  for (const ToolRule& rule : policy.tools) {
    if (rule.verdict == Verdict::kDeny || !RuleCoversTool(rule, tool)) {
      continue;
    }
    bool denied = false;
    for (const ToolRule& other : policy.tools) {
      denied = denied || (other.verdict == Verdict::kDeny && RuleCoversTool(other, tool) &&
                          ConditionsCover(other, rule));
    }
    if (!denied) {
      return true;
    }
  }
  return false;
}

}  // namespace nacre::policy
