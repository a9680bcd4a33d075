// The decision: a pure function of two values.
//
// Order: workspace.hide and workspace.protect first, then every tool rule whose tool and arguments
// match. Deny beats ask beats allow; among equals the first rule in order is named. When nothing
// matches, the answer is deny by "default", and the reason says what came closest: a path outside
// the workspace, or a tool whose rules were not met.
#pragma once

#include "policy/decision.h"
#include "policy/policy.h"
#include "policy/request.h"

namespace nacre::policy {

// Thread-safe: the policy is immutable.
Decision Evaluate(const Policy& policy, const Request& request);

// False when no arguments whatever could make Evaluate() answer allow or ask for this tool: the
// loop then does not offer the tool to the model at all.
bool CouldAllow(const Policy& policy, const std::string& tool);

}  // namespace nacre::policy
