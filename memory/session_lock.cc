#include "memory/session_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "base/file.h"
#include "base/ids.h"

namespace nacre::memory {
namespace {

// False when the file was unlinked by its last holder between our open and our lock.
bool StillNamed(const std::string& path, int fd) {
  struct stat named {};
  struct stat opened {};
  return ::stat(path.c_str(), &named) == 0 && ::fstat(fd, &opened) == 0 &&
         named.st_dev == opened.st_dev && named.st_ino == opened.st_ino;
}

Error InUse(const std::string& session_id, int fd) {
  char digits[16] = {};
  const ssize_t count = ::pread(fd, digits, sizeof digits - 1, 0);
  std::string holder(digits, count > 0 ? static_cast<size_t>(count) : 0);
  holder = holder.substr(0, holder.find_first_not_of("0123456789"));
  // Empty in the instant between the holder's lock and its first write.
  return {ErrorCode::kUnavailable, "session " + session_id + " is in use by " +
                                       (holder.empty() ? "another process" : "process " + holder)};
}

}  // namespace

Result<SessionLock> SessionLock::Acquire(const std::string& directory,
                                         const std::string& session_id) {
  if (!IsUlid(session_id)) {
    return Error{ErrorCode::kInvalidArgument, "not a session id: it must be a ULID"};
  }
  NACRE_TRY(MakeDirectories(directory));
  const std::string path = directory + "/" + session_id;
  while (true) {
    UniqueFd file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (!file) {
      return SysError("open lock file " + path, errno);
    }
    if (::flock(file.get(), LOCK_EX | LOCK_NB) != 0) {
      if (errno == EWOULDBLOCK) {
        return InUse(session_id, file.get());
      }
      return SysError("lock " + path, errno);
    }
    if (!StillNamed(path, file.get())) {
      continue;
    }
    // The number is for people only: a full disk must not keep a session from being resumed.
    const std::string holder = std::to_string(::getpid()) + "\n";
    if (::ftruncate(file.get(), 0) == 0) {
      (void)WriteAll(file.get(), holder);
    }
    return SessionLock(path, std::move(file));
  }
}

SessionLock::~SessionLock() {
  if (file_) {
    ::unlink(path_.c_str());  // while held, so that only our own file can be removed
    ::flock(file_.get(), LOCK_UN);
  }
}

}  // namespace nacre::memory
