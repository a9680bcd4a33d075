#include "policy/evaluator.h"

#include <algorithm>

#include <optional>
#include <string_view>

#include "policy/internal/coverage.h"
#include "policy/internal/display.h"
#include "policy/internal/followed_requests.h"
#include "policy/internal/matcher.h"
#include "policy/internal/program.h"
#include "policy/internal/sandbox_path.h"
#include "policy/quarantine.h"

namespace nacre::policy {
namespace {

Decision Refusal(std::string rule, std::string reason, SourceLocation source) {
  return {Verdict::kDeny, std::move(rule), std::move(reason), std::move(source)};
}

SourceLocation SourceAt(const std::vector<SourceLocation>& sources, size_t index) {
  return index < sources.size() ? sources[index] : SourceLocation{};
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
  if (const auto glob = policy.program().Hiding(*relative)) {
    return Refusal("workspace.hide", "policy hides " + ShownPath(argument.path),
                   SourceAt(policy.hide_sources, *glob));
  }
  if (argument.access == PathAccess::kRead) {
    return std::nullopt;
  }
  if (const auto glob = policy.program().Protecting(*relative)) {
    return Refusal("workspace.protect",
                   "policy protects " + ShownPath(argument.path) + " from changes",
                   SourceAt(policy.protect_sources, *glob));
  }
  if (grant.workspace == WorkspaceMode::kReadOnly) {
    return Refusal("workspace.mode", "policy gives this agent a read-only workspace",
                   policy.mode_source);
  }
  return std::nullopt;
}

std::string ReasonForNothing(const Program::Answer& answer, const Request& request) {
  for (const PathArgument& argument : request.paths) {
    if (!IsUnder(argument.path, kWorkspaceRoot)) {
      return ShownPath(argument.path) + " is outside the workspace";
    }
  }
  const std::string tool = ShownText(request.tool, 128);
  if (answer.closest == nullptr) {
    return "no rule allows " + tool;
  }
  return "no rule allows " + tool + " with these arguments: " +
         DescribeFailure(answer.closest->arguments.at(answer.held), request);
}

// With what made the rule match though nobody can tell that it should.
std::string ReasonOf(const ToolRule& rule, const Request& request) {
  for (const ArgumentMatcher& condition : rule.arguments) {
    if (const std::string unsure = DescribeUnsure(condition, request); !unsure.empty()) {
      return rule.reason + ": " + unsure;
    }
  }
  return rule.reason;
}

// Who asks too is asked as well: no yes stands for another's.
struct Question {
  std::string rule;
  std::string reason;
  Approvers approvers;
};
bool Wants(const Decision& decision, const Approvers& approvers) {
  return std::find(decision.approvers.begin(), decision.approvers.end(), approvers) !=
         decision.approvers.end();
}
void AskToo(const Question& question, Decision& decision) {
  decision.reason += "; and " + question.rule + " asks: " + question.reason;
  if (!Wants(decision, question.approvers)) {
    decision.approvers.push_back(question.approvers);
  }
}

// Which rule stands first must not choose who is asked: a deriving document's or a tenant's is then never in
// place of another's.
void AskOthers(const Program& program, const Request& request, const ToolRule& decider,
               Decision& decision) {
  for (const ToolRule* other : program.AskingOthers(request, decider)) {
    if (!Wants(decision, other->approvers)) {
      AskToo({other->Name(), ReasonOf(*other, request), other->approvers}, decision);
    }
  }
}

// A rule of `narrow` can only make a decision stricter.
void NarrowByRule(const Policy& policy, const Request& request, Decision& decision) {
  if (policy.narrow.empty()) {
    return;
  }
  const ToolRule* rule = policy.narrow_program().Ask(request).decider;
  if (rule == nullptr || rule->verdict > decision.verdict || rule->verdict == Verdict::kAllow) {
    return;
  }
  if (rule->verdict == decision.verdict) {
    AskToo({rule->Name(), ReasonOf(*rule, request), rule->approvers}, decision);
  } else {
    decision.verdict = rule->verdict;
    decision.rule = rule->Name();
    decision.reason = ReasonOf(*rule, request);
    decision.source = rule->source;
    decision.approvers = {rule->approvers};
  }
  if (decision.verdict == Verdict::kDeny) {
    decision.grant = Decision::NoGrant();
    decision.approvers.clear();
    return;
  }
  AskOthers(policy.narrow_program(), request, *rule, decision);
}

// A flow can only make a decision stricter.
void NarrowByFlow(const Policy& policy, const Request& request, Decision& decision) {
  if (policy.data.flows.empty()) {
    return;
  }
  const FlowAnswer answer = JudgeFlow(policy.data, request.tool, request.flow);
  if (answer.rule == nullptr || answer.rule->verdict > decision.verdict ||
      answer.rule->verdict == Verdict::kAllow || decision.verdict == Verdict::kDeny) {
    return;
  }
  const std::string name = "data." + answer.rule->id;
  const std::string reason = answer.rule->reason + ": " + DescribeFlow(answer, request.flow);
  if (answer.rule->verdict == decision.verdict) {
    AskToo({name, reason, answer.rule->approvers}, decision);
  } else {
    decision.verdict = answer.rule->verdict;
    decision.rule = name;
    decision.reason = reason;
    decision.source = answer.rule->source;
    decision.approvers = {answer.rule->approvers};
  }
  if (decision.verdict == Verdict::kDeny) {
    decision.grant = Decision::NoGrant();
    decision.approvers.clear();
    return;
  }
  // As with rules.
  for (const FlowRule* flow : FlowsThatAsk(policy.data, request.tool, request.flow)) {
    if (!Wants(decision, flow->approvers)) {
      AskToo({"data." + flow->id, flow->reason, flow->approvers}, decision);
    }
  }
}

// Of the request as it stands.
Decision EvaluateNames(const Policy& policy, const Request& request) {
  for (const PathArgument& argument : request.paths) {
    if (std::optional<Decision> refusal = JudgePath(policy, argument)) {
      return std::move(*refusal);
    }
  }
  const Program::Answer answer = policy.program().Ask(request);
  if (answer.decider == nullptr) {
    return Refusal("default", ReasonForNothing(answer, request), {});
  }
  const ToolRule& rule = *answer.decider;
  Decision decision{.verdict = rule.verdict,
                    .rule = rule.Name(),
                    .reason = ReasonOf(rule, request),
                    .source = rule.source};
  if (rule.verdict != Verdict::kDeny) {
    decision.grant = policy.shared_grant();
    if (rule.verdict == Verdict::kAsk) {
      decision.approvers = {rule.approvers};
      AskOthers(policy.program(), request, rule, decision);
    }
    NarrowByRule(policy, request, decision);
    NarrowByFlow(policy, request, decision);
    NarrowByQuarantine(policy, request, decision);
  }
  return decision;
}

void TakeStricter(Decision other, Decision& decision) {
  if (other.verdict < decision.verdict) {
    decision = std::move(other);
  } else if (other.verdict == Verdict::kAsk && decision.verdict == Verdict::kAsk) {
    // One rule may ask in both, and others beside it in only one.
    for (const Approvers& approvers : other.approvers) {
      if (other.rule != decision.rule || !Wants(decision, approvers)) {
        AskToo({other.rule, other.reason, approvers}, decision);
      }
    }
  }
}

// Every combination of names and of where links lead them is judged.
Decision EvaluateLinked(const Policy& policy, const Request& request,
                        const PathArgument& first_linked) {
  const std::vector<FollowedRequest> followed = FollowedRequests(request);
  if (followed.empty()) {
    return Refusal("workspace.paths",
                   "where the links in " + ShownPath(first_linked.path) + " lead cannot be told",
                   {});
  }
  Decision decision = EvaluateNames(policy, request);
  for (const FollowedRequest& each : followed) {
    Decision other = EvaluateNames(policy, each.request);
    std::string led;
    for (const std::string& link : each.led) {
      led += link + ": ";
    }
    other.reason = led + other.reason;
    TakeStricter(std::move(other), decision);
  }
  return decision;
}

}  // namespace

Decision Evaluate(const Policy& policy, const Request& request) {
  const PathArgument* linked = nullptr;  // the first, but one of which nothing is known before it
  for (const PathArgument& argument : request.paths) {
    if (!argument.followed.empty() && (linked == nullptr || (argument.followed == kNowhereKnown &&
                                                             linked->followed != kNowhereKnown))) {
      linked = &argument;
    }
  }
  return linked == nullptr ? EvaluateNames(policy, request)
                           : EvaluateLinked(policy, request, *linked);
}

bool CouldAllow(const Policy& policy, const std::string& tool) {
  for (const ToolRule& rule : policy.tools) {
    if (rule.verdict == Verdict::kDeny || !RuleCoversTool(rule, tool)) {
      continue;
    }
    bool denied = false;
    for (const auto* others : {&policy.tools, &policy.narrow}) {
      for (const ToolRule& other : *others) {
        denied = denied || (other.verdict == Verdict::kDeny && RuleCoversTool(other, tool) &&
                            ConditionsCover(other, rule));
      }
    }
    if (!denied) {
      return true;
    }
  }
  return false;
}

}  // namespace nacre::policy
