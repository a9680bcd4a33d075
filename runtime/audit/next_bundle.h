// NextBundle: the name of the bundle that comes after a full one, put on the disk by a thread that waits for its record
// to be written into it. Either takes as long as the other.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>

#include "runtime/audit/storage.h"

namespace nacre::audit {

// Thread-safe. Borrows the storage. What a crash leaves of it is an empty bundle behind a full one, as of a writer that
// came no further.
class NextBundle final {
 public:
  NextBundle(std::string directory, Storage& storage)
      : directory_(std::move(directory)), storage_(storage) {}

  // The bundle before `number` is full.
  void Expect(uint64_t number);
  // Makes the file that is expected and syncs its folder, once, unless the folder is new or another writer was faster;
  // nobody else who calls it waits for that. A failure is not told: who needs the name then syncs it, and is.
  void Prepare();
  // Whether `bundle` is the file that was prepared for this number, and its name on the disk. Waits for who is at it;
  // when nobody is, nobody will be.
  bool IsPrepared(uint64_t number, int bundle);

 private:
  const std::string directory_;
  Storage& storage_;
  std::atomic<bool> due_ = false;  // somebody is to make it
  std::mutex mutex_;               // held while it is made
  std::optional<uint64_t> expected_;
  uint64_t prepared_ = 0;
  dev_t device_ = 0;
  ino_t inode_ = 0;  // 0: none was
};

}  // namespace nacre::audit
