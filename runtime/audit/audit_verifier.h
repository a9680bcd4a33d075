// Verifies a log without trusting who wrote it: re-reads every record, rebuilds the tree, checks
// each checkpoint's root and signature, and names the first record that does not fit.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/result.h"

namespace nacre::audit {

struct VerifyReport {
  bool ok = false;
  uint64_t records = 0;
  uint64_t checkpoints = 0;
  uint64_t covered = 0;  // records under the newest good checkpoint; later ones are unsigned as yet
  std::string root;      // base64, as in the checkpoint
  // One per problem: "record 17: content does not match the tree signed at 20 records".
  std::vector<std::string> problems;
  // What is no problem but worth saying: "the last 40 bytes are an unfinished write".
  std::vector<std::string> notes;
};

// Reads while others write; needs no lock and no private key. `trusted_key` is the line of key.pub
// as it was remembered elsewhere; without it the log vouches for its own key, which shows changes
// by whoever cannot read `key`, and no others. What is and is not detected: docs/audit-log.md.
// An Error only when the directory cannot be read at all.
Result<VerifyReport> VerifyAuditLog(const std::string& directory,
                                    const std::string& trusted_key = {});

// Calls `visit` with each record's index and JSON, from `first` on, until it answers false.
// Bounded reading of hostile bytes; stops with an error at the first record that does not parse.
Status ReadAuditLog(const std::string& directory, uint64_t first,
                    const std::function<bool(uint64_t index, const Json& record)>& visit);

}  // namespace nacre::audit
