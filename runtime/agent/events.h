// Events: what a session tells whoever watches it. The terminal, `--json` and the gRPC stream all
// print these; docs/events.md documents the JSON names, which are stable.
//
// An event is published only after what it says is in the audit log and the store: nobody sees a
// result that a crash could take back.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/json.h"
#include "policy/decision.h"

namespace nacre::agent {

struct SessionStarted {
  std::string session;
  bool resumed = false;
  std::string workspace;
  std::string policy;
  std::string policy_digest;
  std::string engine;
  std::string model;
  bool demonstration_model = false;
  std::string
      sandbox;  // "userns+mount+pid+net+ipc+uts+cgroup+time, seccomp, Landlock ABI 7, cgroup v2"
  std::string weaker = {};  // what of it this host lacks, and the command that mends it
};

struct TurnStarted {
  std::string turn;
  std::string request;
};

// A piece of the answer as it is generated. The whole answer is in TurnFinished.
struct TextDelta {
  std::string text;
};

struct CallDecided {
  std::string call;
  std::string tool;
  Json arguments;
  std::string verdict;  // "allow", "ask", "deny"
  std::string rule;
  std::string reason;
  std::string source;  // "builtin/coding:12:5", empty for the default
  // Of the context when it was judged: {"integrity:untrusted"}; empty when it is clean.
  std::vector<std::string> labels = {};
};

// A person is asked about a call whose verdict was "ask", and nothing goes on until they answer.
struct CallAsked {
  std::string call;
  std::string digest;                        // of what the yes is to
  std::vector<policy::Approvers> approvers;  // the yes of each of these is wanted
  int64_t expires_ms = 0;                    // from now
};

// A person's answer to a call whose verdict was "ask".
struct CallApproval {
  std::string call;
  bool approved = false;
  std::string by;
};

struct CallStarted {
  std::string call;
};

struct CallFinished {
  std::string call;
  std::string tool;
  std::string outcome;  // sandbox::OutcomeKindName
  bool error = false;   // the tool, or the sandbox, says that it was not done
  std::string result;   // what the model was told
  int64_t wall_us = 0;
  int64_t cpu_us = 0;
  Json layers;     // what was really in force
  Json workspace;  // what became of its changes: WorkspaceReport; null where there are none to keep
  std::vector<std::string> labels = {};  // of the context with this result in it
  std::string withheld =
      {};  // "$r1": the handle of what the tool answered; empty: nothing was withheld
};

struct CallMalformed {
  std::string reason;
};

struct TurnFinished {
  std::string turn;
  std::string state;  // "finished", "failed", "cancelled"
  std::string answer;
  std::string error;
  int64_t steps = 0;
  int64_t calls = 0;  // that ran
  int64_t denied = 0;
  int64_t tokens = 0;  // prompt tokens that were not reused, and generated ones
  std::string session;
  bool cut_off = false;  // the limit of tokens ended the answer, not the model
};

using Event = std::variant<SessionStarted, TurnStarted, TextDelta, CallDecided, CallAsked,
                           CallApproval, CallStarted, CallFinished, CallMalformed, TurnFinished>;

// "turn.finished", ...
std::string_view EventName(const Event& event);
// One object: {"event": NAME, ...members}.
OrderedJson ToJson(const Event& event);

// Called on the thread that drives the session, in order.
class EventSink {
 public:
  virtual ~EventSink() = default;
  virtual void OnEvent(const Event& event) = 0;
};

}  // namespace nacre::agent
