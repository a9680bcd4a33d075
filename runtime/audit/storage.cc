#include "runtime/audit/storage.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <filesystem>

#include "base/file.h"

namespace nacre::audit {
namespace {

Error WriteError(const std::string& what, int error) {
  Error failed = SysError(what, error);
  if (error == ENOSPC || error == EDQUOT) {
    failed.message += ": free some space and try again";
  }
  return failed;
}

}  // namespace

Result<UniqueFd> Storage::Open(const std::string& path, bool create) {
  const int flags = O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK;
  UniqueFd file(::open(path.c_str(), flags));
  if (!file && errno == ENOENT && create) {
    NACRE_TRY(MakeDirectories(std::filesystem::path(path).parent_path().string()));
    file = UniqueFd(::open(path.c_str(), flags | O_CREAT, 0600));
  }
  if (!file) {
    return SysError("open " + path, errno);
  }
  return file;
}

Status Storage::Write(int fd, std::string_view bytes, uint64_t offset) {
  while (!bytes.empty()) {
    const ssize_t count = ::pwrite(fd, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (count < 0 && errno == EINTR) {
      continue;
    }
    if (count < 0) {
      return WriteError("write", errno);
    }
    bytes.remove_prefix(static_cast<size_t>(count));
    offset += static_cast<size_t>(count);
  }
  return Ok();
}

Status Storage::BeginSync(int fd) {
  // Writing is all that it can fail with; where it is not known at all, Sync() does everything.
  const bool begun =
      ::sync_file_range(fd, 0, 0, SYNC_FILE_RANGE_WRITE) == 0 || errno == ENOSYS || errno == EINVAL;
  return begun ? Ok() : Status(WriteError("sync_file_range", errno));
}

Status Storage::Sync(int fd) {
  return ::fdatasync(fd) == 0 ? Ok() : Status(WriteError("fdatasync", errno));
}

Status Storage::Truncate(int fd, uint64_t size) {
  return ::ftruncate(fd, static_cast<off_t>(size)) == 0 ? Ok()
                                                        : Status(SysError("ftruncate", errno));
}

Status Storage::SyncDirectory(const std::string& path) {
  const UniqueFd directory(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!directory || ::fsync(directory.get()) != 0) {
    return SysError("fsync " + path, errno);
  }
  return Ok();
}

Status Storage::Replace(const std::string& path, std::string_view content, unsigned mode) {
  return WriteFileAtomically(path, content, mode);
}

Status Storage::Put(const std::string& path, std::string_view content) {
  std::string temporary = path + ".XXXXXX";
  const UniqueFd file(::mkostemp(temporary.data(), O_CLOEXEC));
  if (!file) {
    return SysError("create a temporary file beside " + path, errno);
  }
  Status put = WriteAll(file.get(), content);
  if (put.ok() && ::rename(temporary.c_str(), path.c_str()) != 0) {
    put = SysError("rename to " + path, errno);
  }
  if (!put.ok()) {
    ::unlink(temporary.c_str());
  }
  return put;
}

Status Storage::Remove(const std::string& path) {
  return ::unlink(path.c_str()) == 0 || errno == ENOENT ? Ok()
                                                        : Status(SysError("remove " + path, errno));
}

Storage& DiskStorage() {
  static Storage storage;
  return storage;
}

}  // namespace nacre::audit
