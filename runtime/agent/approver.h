// Approver: asks a person about a call whose verdict was "ask". The agent has no path to it.
#pragma once

#include <string>

#include "policy/decision.h"
#include "runtime/agent/tool_call.h"

namespace nacre::agent {

struct Approval {
  bool approved = false;
  std::string by;  // who answered: "uid 1000 on the terminal"
};

class Approver {
 public:
  virtual ~Approver() = default;
  // Blocks until the person answers. No answer is a refusal.
  virtual Approval Ask(const ToolCall& call, const policy::Decision& decision) = 0;
};

}  // namespace nacre::agent
