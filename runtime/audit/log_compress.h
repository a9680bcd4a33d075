// Compressing a log's cold bundles: NNN becomes NNN.zst. The records, and so the tree, stay as they are.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"
#include "runtime/audit/legal_hold.h"

namespace nacre::audit {

struct CompressReport {
  uint64_t bundles = 0;
  uint64_t bytes_before = 0;
  uint64_t bytes_after = 0;
};

// The full bundles before that of the newest record, all of whose records are from before `older_than`; all when that is
// empty. Each is compared with the tree first, and goes only when its compressed form is durable and is that again. A crash in
// between leaves both, and the same call completes it. kDataLoss at the first that is not as it was signed; those before
// it are done.
Result<CompressReport> CompressLog(const LogChange& change, const std::string& older_than);

}  // namespace nacre::audit
