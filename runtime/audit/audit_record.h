// AuditRecord: one line of evidence. Typed here, JSON in the log. Content (arguments, results,
// prompts) is present as a digest unless the policy's audit.content says otherwise.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

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

  std::string rule;                 // of the policy, that decided
  int64_t step = 0;                 // within the turn, from 1; 0 outside of any
  std::vector<std::string> labels;  // of the data that it is about; sorted
  std::string tenant;               // empty: the only one
  // Who did it: "agent", "nacre" itself, or a person as "uid N". Empty: the one that runs this process.
  std::string actor;
};

}  // namespace nacre::audit
