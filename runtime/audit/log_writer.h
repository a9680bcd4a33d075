// LogWriter: the one place that changes an audit log. Single-threaded; processes take turns through
// a lock on records.jsonl.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "base/result.h"
#include "base/unique_fd.h"
#include "runtime/audit/checkpoint_files.h"
#include "runtime/audit/merkle_tree.h"
#include "runtime/audit/record_format.h"

namespace nacre::audit {

// Not thread-safe. After any failed call but kAborted (the lock was not to be had, nothing was
// tried) it must not be used again: what the file holds is then known only after reopening.
class LogWriter final {
 public:
  static constexpr int kLockTimeoutMs = 10'000;

  // Checks every record against the newest signatures, cuts off a torn end, and appends
  // "log.opened", after "log.recovered" when something was cut off.
  static Result<std::unique_ptr<LogWriter>> Open(const std::string& directory, const Clock& clock,
                                                 Random& random);

  // Durable once ok, in this order and without gaps; the index of the first. On failure none of
  // them is acknowledged, and what was written of them is cut off again.
  Result<uint64_t> Commit(const std::vector<const EncodedRecord*>& records);

  Status WriteCheckpoint();

 private:
  LogWriter(std::string directory, UniqueFd records, SigningKey key, const Clock& clock,
            Random& random)
      : directory_(std::move(directory)),
        records_(std::move(records)),
        key_(std::move(key)),
        clock_(clock),
        random_(random) {}

  Status Recover();
  // Takes in what other processes appended, and cuts off what one left unfinished.
  Status CatchUp();
  Status CheckStillNamed() const;
  Result<uint64_t> CommitLocked(const std::vector<const EncodedRecord*>& records);
  Result<EncodedRecord> Announce(const char* event, Json data);
  void Take(std::string_view line);
  Checkpoint Now() const { return {.size = tree_.size(), .root = tree_.Root()}; }

  const std::string directory_;
  const UniqueFd records_;
  const SigningKey key_;
  const Clock& clock_;
  Random& random_;
  std::optional<CheckpointFiles> files_;

  MerkleFrontier tree_;
  std::string previous_;  // leaf hash of the newest record, in hexadecimal
  uint64_t offset_ = 0;   // the end of the newest record in the file
  Json cut_;              // what CatchUp cut off, until it is recorded; null when nothing
};

}  // namespace nacre::audit
