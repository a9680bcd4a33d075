// Approver: asks a person about a call whose verdict was "ask". The agent has no path to it.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <functional>
#include <optional>
#include <string>

#include "base/account.h"
#include "base/cancel_token.h"
#include "policy/decision.h"
#include "runtime/agent/approval.h"
#include "runtime/agent/tool_call.h"

namespace nacre::agent {

// Borrowed for the duration of Ask().
struct ApprovalRequest {
  const std::string& call_id;
  const std::string& session;
  const ToolCall& call;
  const policy::Decision& decision;
  const ApprovalSubject& subject;  // what a yes is to
  const std::string& digest;       // of that
  // The policy's time, or what is left of the turn's if that is less.
  std::chrono::milliseconds expires;
  const CancelToken& cancel;  // the turn's
  // Once, when the question can be answered: it is not called when nobody can be asked.
  const std::function<void()>& asked;
};

struct Approval {
  bool approved = false;
  std::string by;                 // who answered: "uid 1000 on the terminal"
  std::string why = {};           // of a refusal that nobody made: "nobody answered within 15m"
  std::optional<uid_t> uid = {};  // whose answer decided it; none: nobody's
};

class Approver {
 public:
  virtual ~Approver() = default;
  // Blocks until enough persons have answered, at most for request.expires. No answer in time is a
  // refusal; the answer of somebody who is not among decision.approvers is none. Where these are several,
  // each is to be met.
  virtual Approval Ask(const ApprovalRequest& request) = 0;
};

// Does the policy mean this person? `owner`: who runs nacre. Asks the host's name service.
bool MayApprove(const policy::Approvers& approvers, const Account& account, uid_t owner);

// "alice, bob or a member of operator"; "whoever runs nacre"; with a count, "2 of alice, bob or carol".
std::string DescribeApprovers(const policy::Approvers& approvers);
// Several of them: "alice, and a member of operator".
std::string DescribeApprovers(const std::vector<policy::Approvers>& approvers);

// The refusal where nobody answered within the time that there was.
std::string WhyExpired(const ApprovalRequest& request);

}  // namespace nacre::agent
