#include "policy/explain.h"

#include "policy/evaluator.h"
#include "policy/internal/matcher.h"

namespace nacre::policy {
namespace {

void AddRules(const std::vector<ToolRule>& rules, const Request& request,
              Explanation& explanation) {
  for (const ToolRule& rule : rules) {
    if (!RuleCoversTool(rule, request.tool)) {
      ++explanation.rules_for_other_tools;
      continue;
    }
    const size_t held = ConditionsHeld(rule, request);
    RuleTrace trace{.rule = rule.Name(),
                    .reason = rule.reason,
                    .verdict = rule.verdict,
                    .matched = held == rule.arguments.size(),
                    .missing = {},
                    .source = rule.source};
    if (!trace.matched) {
      trace.missing = DescribeFailure(rule.arguments[held], request);
    }
    explanation.considered.push_back(std::move(trace));
  }
}

}  // namespace

Explanation Explain(const Policy& policy, const Request& request) {
  Explanation explanation;
  explanation.decision = Evaluate(policy, request);
  const Decision& decision = explanation.decision;
  if (decision.rule.rfind("workspace.", 0) == 0) {
    explanation.considered.push_back({.rule = decision.rule,
                                      .reason = decision.reason,
                                      .verdict = decision.verdict,
                                      .matched = true,
                                      .missing = {},
                                      .source = decision.source});
  }
  AddRules(policy.tools, request, explanation);
  AddRules(policy.narrow, request, explanation);
  return explanation;
}

}  // namespace nacre::policy
