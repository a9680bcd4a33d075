// The files of an audit log's directory that hold keys and signatures; see layout.h.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "base/result.h"
#include "base/unique_fd.h"
#include "runtime/audit/checkpoint.h"
#include "runtime/audit/key_chain.h"
#include "runtime/audit/layout.h"
#include "runtime/audit/storage.h"

namespace nacre::audit {

// The key of the log in `directory`; made there when `fresh`, that is while there is no record.
// Refuses a key that others may read.
Result<SigningKey> LoadSigningKey(const std::string& directory, bool fresh, const Clock& clock,
                                  Random& random, Storage& storage = DiskStorage());

// Completes a change of the key that a crash left half-way, or takes back one that was not signed: before the key
// is loaded, with the log's lock held.
Status FinishKeyChange(const std::string& directory, Storage& storage);

// Puts a new key in force, durably and so that a crash at any instant leaves the old one or the new one. The
// log's lock is held, and `at` is what the old key has signed last. kAborted is never answered: after any
// failure the log must be opened again.
Status ChangeKey(const std::string& directory, const Checkpoint& at, const SigningKey& old,
                 const SigningKey& next, Storage& storage);

// The signed state of a log, as its one writer at a time keeps it: the caller holds the log's lock
// during each call. Not thread-safe. Borrows the key and the storage.
class CheckpointFiles final {
 public:
  // Makes the files when `fresh`; otherwise refuses missing or wrongly signed ones (kDataLoss).
  static Result<CheckpointFiles> Open(const std::string& directory, bool fresh,
                                      const SigningKey& key, Storage& storage);

  // After a change of the key: what `key`, the one that was given to Open(), signs from now on.
  Status ReloadKeys();

  // What the records must agree with, in any order.
  const std::vector<Checkpoint>& promises() const { return promises_; }

  // What `head` says now: also of what other processes wrote.
  Result<Checkpoint> ReadHead() const;
  // The signature takes as long as a good part of a sync, so it may be made before the records are on the disk; the note
  // is for WriteHead(), once they are.
  Result<std::string> SignHead(const Checkpoint& checkpoint) const;
  Status WriteHead(const std::string& note);
  // Durable in `checkpoints` and `checkpoint`. Nothing when the newest one is the same. Answers the
  // size of the one that `checkpoint` held before, 0 when there was none.
  Result<uint64_t> WriteCheckpoint(const Checkpoint& checkpoint);
  // Takes in what other processes have put under a checkpoint since, of a log that has `size` records.
  Status TakeDurable(uint64_t size);
  // The size of the newest note of `checkpoints`, 0 when there is none: what was written before it is on the disk.
  uint64_t durable_size() const { return durable_size_; }
  // The size in `checkpoint`, 0 when there is none.
  uint64_t newest_size() const { return newest_size_; }
  // What `checkpoint` says, and so `checkpoints` on the disk; empty when there is none.
  const std::string& newest_note() const { return newest_note_; }

 private:
  CheckpointFiles(std::string directory, const SigningKey& key, Storage& storage)
      : directory_(std::move(directory)), key_(&key), storage_(&storage) {}

  Result<std::string> NewestOfHistory();

  std::optional<KeyChain> keys_;
  std::string directory_;
  const SigningKey* key_;
  Storage* storage_;
  UniqueFd history_;
  UniqueFd head_;
  std::vector<Checkpoint> promises_;
  uint64_t newest_size_ = 0;
  std::string newest_note_;
  uint64_t durable_size_ = 0;
};

}  // namespace nacre::audit
