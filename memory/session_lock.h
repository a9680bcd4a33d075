// A file lock that says who holds it. flock(2): the kernel frees it when the holder dies, however
// it dies, and two threads of one process exclude each other as two processes do.
#pragma once

#include <string>

#include "base/result.h"
#include "base/unique_fd.h"

namespace nacre::memory {

// Holds the lock while it lives. A child that is forked while the lock is held and never calls
// exec(2) would keep it after our death; descriptors are O_CLOEXEC, so one that does cannot.
class SessionLock final {
 public:
  // Never waits. kUnavailable "session ID is in use by process N" when another holds it.
  // `session_id` must be a ULID: it becomes a file name. Creates `directory` (0700) when absent.
  static Result<SessionLock> Acquire(const std::string& directory, const std::string& session_id);

  SessionLock(SessionLock&& other) noexcept = default;
  SessionLock& operator=(SessionLock&&) = delete;
  ~SessionLock();

 private:
  SessionLock(std::string path, UniqueFd file) : path_(std::move(path)), file_(std::move(file)) {}

  std::string path_;
  UniqueFd file_;
};

}  // namespace nacre::memory
