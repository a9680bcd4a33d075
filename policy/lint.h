// What a valid policy grants that its author may not have meant. For `nacre policy check`.
#pragma once

#include <string>
#include <vector>

#include "policy/decision.h"
#include "policy/policy.h"

namespace nacre::policy {

struct Risk {
  std::string name;       // stable: "shell", "secret-readable"
  std::string rule;       // the rule or key that grants it: "tools.run-builds", "sandbox.profile"
  SourceLocation source;  // where it stands, where that is known
  std::string what;       // one clause: what becomes possible
  std::string advice;     // one clause: how to narrow it
};

// Two ways of looking: calls that are dangerous by themselves are put to the policy, and the rule
// that allows one is named, once for each danger; and rules are read for conditions that hold for
// nearly everything. So a risk named is real, and one that is not named may still be there.
// Thread-safe.
std::vector<Risk> FindRisks(const Policy& policy);

}  // namespace nacre::policy
