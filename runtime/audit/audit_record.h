// AuditRecord: one line of evidence. Typed here, JSON in the log. Content (arguments, results,
// prompts) is present as a digest unless the policy's audit.content says otherwise.
#pragma once

#include <cstdint>
#include <string>

#include "base/json.h"

namespace nacre::audit {

// The envelope every record has; `data` is the event's own object, documented per event in
// docs/audit-log.md. Events: "session.created", "session.resumed", "turn.started", "model.replied",
// "call.malformed", "call.decided", "call.started", "call.finished", "turn.finished",
// "log.opened", "log.recovered".
struct AuditRecord {
  std::string event;
  std::string session;
  std::string turn;
  std::string call;
  std::string policy_digest;
  Json data = Json::object();
};

}  // namespace nacre::audit
