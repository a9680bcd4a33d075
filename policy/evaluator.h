// The decision: a pure function of two values.
//
// Order: the workspace's own checks on every path argument (workspace.mode, hide, protect), then
// every tool rule whose tool and arguments match. Deny beats ask beats allow; among equals the first
// rule in order is named, and of rules that ask the approvers of each are asked. What these allow or ask is then narrowed by the rules of `narrow`, and by the
// flow rules (data.flows) that fit what is known of the call's data, and for the two tools of a quarantine by
// data.quarantine. When nothing matches, the answer is deny by "default", and the reason says what came closest: a path outside the workspace, or a tool whose rules were not met.
//
// Reasons, each one clause for the model and the person (paths as ShownPath writes them):
//   "/etc/shadow is outside the workspace"
//   "policy hides .env"                        "policy protects policy.yaml from changes"
//   "policy gives this agent no workspace"     "policy gives this agent a read-only workspace"
//   "no rule allows mail.send"
//   "no rule allows proc.run with these arguments: argv[0] "rm" is not one of wc, grep, sort, …"
// and, when a rule decides, that rule's own reason.
#pragma once

#include "policy/decision.h"
#include "policy/policy.h"
#include "policy/request.h"

namespace nacre::policy {

// Thread-safe: the policy is immutable.
Decision Evaluate(const Policy& policy, const Request& request);

// False when no arguments whatever could make Evaluate() answer allow or ask for this tool: the
// loop then does not offer the tool to the model at all. True does not promise that some could.
bool CouldAllow(const Policy& policy, const std::string& tool);

}  // namespace nacre::policy
