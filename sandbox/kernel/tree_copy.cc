#include "sandbox/kernel/tree_copy.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstring>

#include "base/unique_fd.h"
#include "sandbox/kernel/syscalls.h"

namespace nacre::sandbox::kernel {
namespace {

constexpr int kAttempts = 5;
constexpr size_t kPathBytesMax = 4095;
constexpr size_t kBufferBytes = 32 * 1024;
constexpr size_t kNamesBytes = 4096;

// What getdents64(2) writes.
struct DirectoryEntry {
  uint64_t inode;
  int64_t offset;
  uint16_t size;
  uint8_t type;
  char name[1];  // NUL-terminated
};

int OrError(long result) {
  return result < 0 ? -errno : 0;
}

int OpenEntry(int folder, const char* name, uint64_t flags) {
  struct open_how how = {};
  how.flags = flags | O_NOFOLLOW | O_CLOEXEC;
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV;
  const int opened = OpenAt2(folder, name, how);
  return opened < 0 ? -errno : opened;
}

bool IsSame(const struct stat& a, const struct stat& b) {
  return a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

int SetTimes(int fd, const struct stat& info) {
  const struct timespec times[2] = {info.st_atim, info.st_mtim};
  return OrError(::futimens(fd, times));
}

// An empty entry of the same type, which its owner may not read.
int Withhold(int to, const char* name, mode_t type) {
  if (S_ISDIR(type)) {
    return OrError(::mkdirat(to, name, 0));
  }
  const UniqueFd made(::openat(to, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0));
  return made.valid() ? 0 : -errno;
}

int WriteAll(int to, const char* bytes, size_t size) {
  for (size_t done = 0; done < size;) {
    const ssize_t written = ::write(to, bytes + done, size - done);
    if (written < 0 && errno != EINTR) {
      return -errno;
    }
    done += written > 0 ? static_cast<size_t>(written) : 0;
  }
  return 0;
}

// One stretch without holes. -ESTALE when the file has become shorter.
int CopyStretch(int from, int to, off_t begin, off_t end) {
  char buffer[kBufferBytes];
  if (::lseek(to, begin, SEEK_SET) < 0) {
    return -errno;
  }
  for (off_t at = begin; at < end;) {
    const off_t left = end - at;
    const size_t want =
        left < static_cast<off_t>(sizeof buffer) ? static_cast<size_t>(left) : sizeof buffer;
    const ssize_t got = ::pread(from, buffer, want, at);
    if (got < 0 && errno == EINTR) {
      continue;
    }
    if (got <= 0) {
      return got == 0 ? -ESTALE : -errno;
    }
    if (const int result = WriteAll(to, buffer, static_cast<size_t>(got)); result != 0) {
      return result;
    }
    at += got;
  }
  return 0;
}

int CopyContent(int from, int to, off_t size) {
  for (off_t at = 0; at < size;) {
    off_t begin = ::lseek(from, at, SEEK_DATA);
    if (begin < 0 && errno == ENXIO) {
      break;  // a hole up to the end
    }
    off_t end = begin < 0 ? -1 : ::lseek(from, begin, SEEK_HOLE);
    if (end < 0) {  // a file system that knows no holes
      begin = at;
      end = size;
    }
    end = end < size ? end : size;
    if (begin >= end) {
      break;
    }
    if (const int result = CopyStretch(from, to, begin, end); result != 0) {
      return result;
    }
    at = end;
  }
  return OrError(::ftruncate(to, size));
}

class Copier {
 public:
  explicit Copier(const TreeCopyOptions& options) : options_(options) {}

  // What `from`, open for reading, holds into `to`. The folder's own mode and times come last.
  int Folder(int from, int to, const struct stat& info, int depth) {
    if (depth > kCopiedDepthMax) {
      return -ELOOP;
    }
    alignas(DirectoryEntry) char buffer[kNamesBytes];
    while (true) {
      const long size = ::syscall(SYS_getdents64, from, buffer, sizeof buffer);
      if (size < 0) {
        return -errno;
      }
      if (size == 0) {
        break;
      }
      for (long at = 0; at < size;) {
        const auto* entry = reinterpret_cast<const DirectoryEntry*>(buffer + at);
        at += entry->size;
        if (std::strcmp(entry->name, ".") == 0 || std::strcmp(entry->name, "..") == 0) {
          continue;
        }
        if (const int result = Named(from, to, entry->name, depth); result != 0) {
          return result;
        }
      }
    }
    const int result = OrError(::fchmod(to, info.st_mode & 07777));
    return result != 0 ? result : SetTimes(to, info);
  }

 private:
  int Named(int from, int to, const char* name, int depth) {
    if (++entries_ > kCopiedEntriesMax) {
      return -E2BIG;
    }
    const size_t before = path_size_;
    const size_t size = std::strlen(name);
    if (before + 1 + size > kPathBytesMax) {
      return -ENAMETOOLONG;
    }
    if (before > 0) {
      path_[path_size_++] = '/';
    }
    std::memcpy(path_ + path_size_, name, size + 1);
    path_size_ += size;
    int result = -ESTALE;
    for (int attempt = 0; attempt < kAttempts && result == -ESTALE; ++attempt) {
      result = Entry(from, to, name, depth);
    }
    path_size_ = before;
    path_[path_size_] = '\0';
    // It is gone; or the folder changed underway and named it twice.
    const bool settled = result == -ENOENT || result == -EEXIST;
    return settled ? 0 : result == -ESTALE ? -EAGAIN : result;
  }

  // -ESTALE: it was replaced while we looked, and nothing of it was made.
  int Entry(int from, int to, const char* name, int depth) {
    struct stat info = {};
    const UniqueFd path(OpenEntry(from, name, O_PATH));
    if (path.get() < 0) {
      const int error = path.get();
      if (error != -EXDEV || ::fstatat(from, name, &info, AT_SYMLINK_NOFOLLOW) != 0) {
        return error;
      }
      return Withhold(to, name, info.st_mode);
    }
    if (::fstat(path.get(), &info) != 0) {
      return -errno;
    }
    if (options_.is_hidden != nullptr && options_.is_hidden(options_.context, path_)) {
      return Withhold(to, name, info.st_mode);
    }
    if (S_ISLNK(info.st_mode)) {
      return Link(path.get(), to, name, info);
    }
    if (S_ISREG(info.st_mode)) {
      return File(from, to, name, info);
    }
    return S_ISDIR(info.st_mode) ? Below(from, to, name, info, depth) : 0;
  }

  static int Link(int path, int to, const char* name, const struct stat& info) {
    char target[kPathBytesMax + 1];
    const ssize_t size = ::readlinkat(path, "", target, sizeof target);
    if (size < 0 || static_cast<size_t>(size) >= sizeof target) {
      return size < 0 ? -errno : -ENAMETOOLONG;
    }
    target[size] = '\0';
    const struct timespec times[2] = {info.st_atim, info.st_mtim};
    const int made = OrError(::symlinkat(target, to, name));
    return made != 0 ? made : OrError(::utimensat(to, name, times, AT_SYMLINK_NOFOLLOW));
  }

  int File(int from, int to, const char* name, const struct stat& info) {
    if ((info.st_mode & S_IRUSR) == 0) {
      return Withhold(to, name, info.st_mode);
    }
    struct stat opened_info = {};
    // O_NONBLOCK: a FIFO that took its place must not make us wait.
    const UniqueFd opened(OpenEntry(from, name, O_RDONLY | O_NONBLOCK | O_NOCTTY));
    if (opened.get() < 0) {
      const int error = opened.get();
      return error == -EACCES || error == -EPERM ? Withhold(to, name, info.st_mode)
             : error == -ELOOP || error == -EXDEV || error == -ENXIO ? -ESTALE
                                                                     : error;
    }
    if (::fstat(opened.get(), &opened_info) != 0 || !IsSame(info, opened_info)) {
      return -ESTALE;
    }
    const auto size = static_cast<uint64_t>(opened_info.st_size);
    if (size > options_.bytes - bytes_) {
      return -EFBIG;
    }
    const UniqueFd made(
        ::openat(to, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
    if (!made.valid()) {
      return -errno;
    }
    int result = CopyContent(opened.get(), made.get(), opened_info.st_size);
    if (result == -ESTALE) {
      ::unlinkat(to, name, 0);
      return result;
    }
    bytes_ += size;
    if (result == 0) {
      result = OrError(::fchmod(made.get(), opened_info.st_mode & 07777));
    }
    return result != 0 ? result : SetTimes(made.get(), opened_info);
  }

  int Below(int from, int to, const char* name, const struct stat& info, int depth) {
    constexpr mode_t kEnter = S_IRUSR | S_IXUSR;
    if ((info.st_mode & kEnter) != kEnter) {
      return Withhold(to, name, info.st_mode);
    }
    struct stat opened_info = {};
    const UniqueFd opened(OpenEntry(from, name, O_RDONLY | O_DIRECTORY));
    if (opened.get() < 0) {
      const int error = opened.get();
      return error == -EACCES || error == -EPERM ? Withhold(to, name, info.st_mode)
             : error == -ENOTDIR || error == -ELOOP || error == -EXDEV ? -ESTALE
                                                                       : error;
    }
    if (::fstat(opened.get(), &opened_info) != 0 || !IsSame(info, opened_info)) {
      return -ESTALE;
    }
    if (::mkdirat(to, name, 0700) != 0) {
      return -errno;
    }
    const UniqueFd made(::openat(to, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!made.valid()) {
      return -errno;
    }
    return Folder(opened.get(), made.get(), opened_info, depth + 1);
  }

  const TreeCopyOptions& options_;
  uint64_t entries_ = 0;
  uint64_t bytes_ = 0;
  size_t path_size_ = 0;
  char path_[kPathBytesMax + 1] = {};
};

}  // namespace

int CopyTree(int from, int to, const TreeCopyOptions& options) {
  // `from` may be an O_PATH descriptor, which cannot be listed.
  const UniqueFd folder(::openat(from, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  struct stat info = {};
  if (!folder.valid() || ::fstat(folder.get(), &info) != 0) {
    return -errno;
  }
  Copier copier(options);
  return copier.Folder(folder.get(), to, info, 0);
}

}  // namespace nacre::sandbox::kernel
