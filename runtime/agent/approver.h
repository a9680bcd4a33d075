// Approver: asks a person about a call whose verdict was "ask". The agent has no path to it.
#pragma once

#include <string>

#include "policy/decision.h"
#include "runtime/agent/tool_call.h"

namespace nacre::agent {

struct Approval {
  bool approved = false;
  std::string by;        // who answered: "uid 1000 on the terminal"
  std::string why = {};  // of a refusal that nobody made: "nobody answered within 15m"
};

class Approver {
 public:
  virtual ~Approver() = default;
  // Blocks until the person answers, at most decision.approvers.expires. No answer in time is a
  // refusal, and so is that of somebody who is not among decision.approvers.users.
  virtual Approval Ask(const ToolCall& call, const policy::Decision& decision) = 0;
};

}  // namespace nacre::agent
