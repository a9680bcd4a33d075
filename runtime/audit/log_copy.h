// A copy of a log for somebody else: all that verifies it, and nothing that could sign it.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"

namespace nacre::audit {

struct CopyReport {
  uint64_t records = 0;  // up to the newest signature; later ones are not copied
  uint64_t files = 0;
  uint64_t bytes = 0;
};

// Copies the log in `directory` to `destination`, which is made (0700) or is an empty folder; durable when it answers.
// Needs no lock, and may run while others write, prune and compress: the signatures are read first, and what they
// cover is there. `key`, `key.next` and `lock` are never copied, nor are keys of contents.
//
// Nothing is judged: that is for whoever verifies the copy. kDataLoss when records under a signature are missing,
// kAlreadyExists when the destination is not empty. After an error the destination holds no signature, so no log.
Result<CopyReport> CopyLog(const std::string& directory, const std::string& destination);

// Does it hold what signs its records? Whoever passes such a copy on passes on that as well.
bool HoldsPrivateKey(const std::string& directory);

}  // namespace nacre::audit
