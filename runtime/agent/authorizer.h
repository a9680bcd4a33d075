// Authorizer: the only maker of an AuthorizedCall, and so the only way to a sandbox. It evaluates
// the policy, writes the decision to the audit log and waits until that is durable, and only then
// lets the call exist. tool_runner accepts nothing else: a call that was not judged and recorded
// does not compile.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <variant>

#include "base/cancel_token.h"
#include "base/result.h"
#include "policy/policy.h"
#include "policy/rate.h"
#include "runtime/agent/approver.h"
#include "runtime/agent/events.h"
#include "runtime/agent/tool_call.h"
#include "runtime/audit/audit_log.h"

namespace nacre::agent {

class AuthorizedCall final {
 public:
  const std::string& id() const { return id_; }
  const ToolCall& call() const { return call_; }
  const policy::Decision& decision() const { return decision_; }
  // Who said yes: "alice (uid 1000)"; empty where nobody was asked.
  const std::string& approved_by() const { return approved_by_; }

 private:
  friend class Authorizer;
  AuthorizedCall(std::string id, ToolCall call, policy::Decision decision)
      : id_(std::move(id)), call_(std::move(call)), decision_(std::move(decision)) {}

  std::string id_;
  ToolCall call_;
  policy::Decision decision_;
  std::string approved_by_;
};

struct RefusedCall {
  std::string id;
  policy::Decision decision;
  std::string reason;  // for the model and the person
};

// Whose call it is, for the record.
struct CallOrigin {
  std::string session;
  std::string turn;
  int64_t step = 0;
};

// How long a person may be asked.
struct TurnLimits {
  CancelToken cancel = {};
  std::chrono::milliseconds left = std::chrono::hours(24);
};

// Borrows all of them for its life. Thread-compatible.
class Authorizer final {
 public:
  Authorizer(const policy::Policy& policy, audit::AuditLog& log, Approver* approver,
             EventSink& sink, std::string workspace)
      : policy_(policy),
        log_(log),
        approver_(approver),
        sink_(sink),
        workspace_(std::move(workspace)) {}

  // `history`: what has run so far, for the policy's rates. An Error means that the decision could not
  // be recorded: nothing may run.
  Result<std::variant<AuthorizedCall, RefusedCall>> Authorize(
      std::string call_id, ToolCall call, const CallOrigin& origin,
      const policy::CallHistory& history = {}, const TurnLimits& turn = {});

 private:
  const policy::Policy& policy_;
  audit::AuditLog& log_;
  Approver* approver_;  // null: nobody to ask, so "ask" is refused
  EventSink& sink_;
  std::string workspace_;  // host path: where the files are that a person says yes to
};

// {"digest": ..., "bytes": N}, and where the policy's audit.content is full also {"content": its
// first 16 KiB, "cut": whether that is not all}. The digest is always of all of it. Where audit.content is redacted, the
// content is without its secrets, and without anything where `label`, that of the content, is confidential or secret;
// {"redacted": N} says how many were taken out.
Json AuditContent(const policy::Policy& policy, const std::string& content,
                  const policy::Label& label);
// The same of a call's arguments.
Json AuditArguments(const policy::Policy& policy, const Json& arguments,
                    const policy::Label& label);

// A reason or an error, of which a record has the words themselves: they may repeat pieces of contents, so unless
// audit.content is full they are without what is recognised as a secret, and nothing of them is kept where `label` is
// confidential or secret.
std::string AuditWords(const policy::Policy& policy, const std::string& words,
                       const policy::Label& label);

}  // namespace nacre::agent
