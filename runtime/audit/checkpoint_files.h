// The files of an audit log's directory, and those of them that hold signatures.
//
//   records.jsonl  one record a line, only ever appended to
//   checkpoints    every checkpoint, each followed by an empty line, only ever appended to
//   checkpoint     the newest of them, replaced atomically
//   head           a checkpoint over everything durable, overwritten after each commit. Not synced:
//                  it outlives kill -9; after a power failure it may be older, never newer, than
//                  the records
//   key, key.pub   the log's Ed25519 key (0600) and its public half
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "base/result.h"
#include "base/unique_fd.h"
#include "runtime/audit/checkpoint.h"

namespace nacre::audit {

constexpr char kRecordsFile[] = "records.jsonl";
constexpr char kCheckpointsFile[] = "checkpoints";
constexpr char kCheckpointFile[] = "checkpoint";
constexpr char kHeadFile[] = "head";
constexpr char kKeyFile[] = "key";
constexpr char kPublicKeyFile[] = "key.pub";

// The key of the log in `directory`; made there when `fresh`, that is while there is no record.
// Refuses a key that others may read.
Result<SigningKey> LoadSigningKey(const std::string& directory, bool fresh, const Clock& clock,
                                  Random& random);

// The signed state of a log, as its one writer at a time keeps it: the caller holds the log's lock
// during each call. Not thread-safe. Borrows the key.
class CheckpointFiles final {
 public:
  // Makes the files when `fresh`; otherwise refuses missing or wrongly signed ones (kDataLoss).
  static Result<CheckpointFiles> Open(const std::string& directory, bool fresh,
                                      const SigningKey& key);

  // What the records must agree with, in any order.
  const std::vector<Checkpoint>& promises() const { return promises_; }

  Status WriteHead(const Checkpoint& checkpoint);
  // Durable in `checkpoints` and `checkpoint`. Nothing when the newest one is the same.
  Status WriteCheckpoint(const Checkpoint& checkpoint);

 private:
  CheckpointFiles(std::string directory, const SigningKey& key)
      : directory_(std::move(directory)), key_(&key) {}

  Result<std::string> NewestOfHistory();

  std::string directory_;
  const SigningKey* key_;
  UniqueFd history_;
  UniqueFd head_;
  std::vector<Checkpoint> promises_;
};

}  // namespace nacre::audit
