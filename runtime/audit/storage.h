// Storage: every change that a writer makes to a log's files goes through here, so that a test can
// fail each of them, or stop the world after any byte (tests/unit/audit/crash_test.cc).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/unique_fd.h"

namespace nacre::audit {

// These do what they say on the real file system. Stateless, so thread-safe. A test overrides some
// and calls these.
class Storage {
 public:
  virtual ~Storage() = default;

  // Opened for reading and writing; made, with its folders, when it is not there and `create`.
  virtual Result<UniqueFd> Open(const std::string& path, bool create);
  // All of it, at that place of the file.
  virtual Status Write(int fd, std::string_view bytes, uint64_t offset);
  // The disk may begin with what was written, and nothing waits for it: Sync() is yet to come, and is then quicker.
  virtual Status BeginSync(int fd);
  // What was written and the length are on the disk: fdatasync(2).
  virtual Status Sync(int fd);
  virtual Status Truncate(int fd, uint64_t size);
  // The names in it are on the disk.
  virtual Status SyncDirectory(const std::string& path);
  // Durable, and never half: base/file.h, WriteFileAtomically.
  virtual Status Replace(const std::string& path, std::string_view content, unsigned mode);
  // Never half to who reads meanwhile. Not on the disk yet: after a power failure it may be missing, or empty.
  virtual Status Put(const std::string& path, std::string_view content);
  // ok as well when it is not there.
  virtual Status Remove(const std::string& path);
};

// The one of the real file system.
Storage& DiskStorage();

}  // namespace nacre::audit
