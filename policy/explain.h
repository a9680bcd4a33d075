// Why the policy answers as it does: every rule that speaks of the tool, with the condition that
// failed. For `nacre policy explain`.
#pragma once

#include <string>
#include <vector>

#include "policy/decision.h"
#include "policy/policy.h"
#include "policy/request.h"

namespace nacre::policy {

struct RuleTrace {
  std::string rule;  // "tools.run-tests", "workspace.hide", "data.no-leak", "budgets.few-mails"
  std::string reason;
  Verdict verdict = Verdict::kDeny;  // what the rule answers when it matches
  bool matched = false;
  std::string missing;  // when not matched: the first condition that failed, as one clause
  // Of a rule that matches, but not the names that the call gives: the links that lead its paths to where it does, each
  // as one clause.
  std::vector<std::string> followed = {};
  SourceLocation source;
  size_t left = 0;  // conditions from the first that failed on
};

struct Explanation {
  Decision
      decision;  // what Evaluate() answers, and what the rates do to it where no call has run yet
  // What matches: the workspace's checks, then rules of `tools`, `narrow` and `data.flows`, and rates, each in order.
  // Then, of those that speak of the tool and do not match, the kExplainedMax that came closest: fewest conditions
  // are left that might fail.
  std::vector<RuleTrace> considered;
  size_t not_shown = 0;              // those beyond
  size_t rules_for_other_tools = 0;  // and flows and rates
};
inline constexpr size_t kExplainedMax = 10;

// Thread-safe: the policy is immutable.
Explanation Explain(const Policy& policy, const Request& request);

}  // namespace nacre::policy
