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
  std::string rule;  // "tools.run-tests", "workspace.hide"
  std::string reason;
  Verdict verdict = Verdict::kDeny;  // what the rule answers when it matches
  bool matched = false;
  std::string missing;  // when not matched: the first condition that failed, as one clause
  SourceLocation source;
};

struct Explanation {
  Decision decision;  // exactly what Evaluate() answers
  // The workspace's checks that matched, then the tool's rules in order. Rules for other tools are
  // only counted.
  std::vector<RuleTrace> considered;
  size_t rules_for_other_tools = 0;
};

// Thread-safe: the policy is immutable.
Explanation Explain(const Policy& policy, const Request& request);

}  // namespace nacre::policy
