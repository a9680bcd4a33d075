// Pruning a log: whole bundles of its first records go, after a signed record has said so.
//
// In this order, so that a crash at any instant leaves a log that verifies and that the same command completes:
// the record `log.pruned` and a checkpoint over it; the file `pruned`, which says where it is; the bundles.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/result.h"
#include "runtime/audit/legal_hold.h"
#include "runtime/audit/log_export.h"

namespace nacre::audit {

// Exactly one of the first three.
struct PruneRequest {
  std::string older_than;              // bundles all of whose records are from before this instant
  std::optional<uint64_t> keep_bytes;  // the oldest bundles beyond so many bytes of them
  std::optional<uint64_t> before;      // bundles of records before this one
  std::string rule;                    // as it is recorded: "older-than 90d"
  // Refuse what an export has not handed on.
  std::optional<ExportCursor> exported;
  // What is held or was not exported stays, with all after it, instead of the whole being refused.
  bool as_far_as_allowed = false;
  bool dry_run = false;
};

struct PruneReport {
  uint64_t from = 0;     // the first record that was there
  uint64_t before = 0;   // the first that stays; the same as `from` when there is nothing to prune
  uint64_t bundles = 0;  // removed, or that would be
  uint64_t bytes = 0;
  std::optional<uint64_t> record;  // of log.pruned; none when there was nothing to say
  bool resumed = false;            // what an earlier one had recorded and left was removed
};

// The bundle of the newest record always stays. What goes is compared with the tree first: kDataLoss, and nothing
// is changed, when it is not as it was signed. kFailedPrecondition, naming it, when a hold is on it, or when the
// export has not passed it. kAborted when holds kept changing meanwhile.
Result<PruneReport> PruneLog(const LogChange& change, const PruneRequest& request);

}  // namespace nacre::audit
