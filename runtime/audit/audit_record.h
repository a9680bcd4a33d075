// AuditRecord: one line of evidence. Typed here, JSON in the log. Content (arguments, results,
// prompts) is present as a digest unless the policy's audit.content says otherwise.
#pragma once

#include <cstdint>
#include <string>

#include "base/json.h"

namespace nacre::audit {

// The envelope every record has; `data` is the event's own object. Events and their data are listed
// in docs/audit-log.md. `data` must have a canonical form: no fractions, integers up to 2^53-1,
// keys in ASCII. A record has at most 60,000 bytes.
struct AuditRecord {
  std::string event;
  std::string session;
  std::string turn;
  std::string call;
  std::string policy_digest;
  Json data = Json::object();
};

}  // namespace nacre::audit
