#include "tools/builtin/common/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>

#include "nacre/sdk/tool.h"
#include "tools/builtin/common/path.h"

namespace nacre::tools::builtin {
namespace {

constexpr unsigned kPermissionBits = 0777;
constexpr size_t kReadBytesFirst = 64U << 10;

std::string ParentOf(const std::string& path) {
  const size_t slash = path.rfind('/');
  if (slash == std::string::npos) {
    return ".";
  }
  return slash == 0 ? "/" : path.substr(0, slash);
}

void MakeParents(const std::string& path) {
  const std::string parent = ParentOf(path);
  for (size_t end = parent.find('/', 1);; end = parent.find('/', end + 1)) {
    const std::string prefix = parent.substr(0, end);
    // What is there already may be a directory on a read-only mount: EROFS instead of EEXIST.
    struct stat info {};
    if (::stat(prefix.c_str(), &info) != 0 && ::mkdir(prefix.c_str(), 0777) != 0 &&
        errno != EEXIST) {
      ThrowErrno(errno, prefix, "directory");
    }
    if (end == std::string::npos) {
      return;
    }
  }
}

unsigned NewFileMode() {
  const mode_t mask = ::umask(0);
  ::umask(mask);
  return 0666U & ~mask;
}

std::string LinkTarget(const std::string& path) {
  char target[4096];
  const ssize_t size = ::readlink(path.c_str(), target, sizeof target);
  return size < 0 ? "?" : ShownName({target, static_cast<size_t>(size)});
}

// A file beside the target that is gone unless it took the target's place.
class TemporaryFile final {
 public:
  explicit TemporaryFile(const std::string& directory) : path_(directory + "/.nacre-XXXXXX") {
    fd_.reset(::mkostemp(path_.data(), O_CLOEXEC));
  }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;
  ~TemporaryFile() {
    if (fd_ && !moved_) {
      ::unlink(path_.c_str());
    }
  }

  int fd() const { return fd_.get(); }
  bool MoveTo(const std::string& target) {
    moved_ = ::rename(path_.c_str(), target.c_str()) == 0;
    return moved_;
  }

 private:
  std::string path_;
  UniqueFd fd_;
  bool moved_ = false;
};

bool WriteWhole(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t count = ::write(fd, bytes.data(), bytes.size());
    if (count < 0 && errno != EINTR) {
      return false;
    }
    bytes.remove_prefix(count < 0 ? 0 : static_cast<size_t>(count));
  }
  return true;
}

}  // namespace

RegularFile OpenRegularFile(const std::string& path) {
  RegularFile file;
  // Without O_NONBLOCK the open of a FIFO waits for a writer.
  file.fd.reset(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  struct stat info {};
  if (!file.fd || ::fstat(file.fd.get(), &info) != 0) {
    ThrowErrno(errno, path);
  }
  if (S_ISDIR(info.st_mode)) {
    ThrowErrno(EISDIR, path);
  }
  if (!S_ISREG(info.st_mode)) {
    throw sdk::ToolError("not a regular file: " + ShownPath(path));
  }
  file.size = static_cast<uint64_t>(info.st_size);
  return file;
}

std::string ReadSome(int fd, size_t size, const std::string& path) {
  std::string bytes;
  size_t done = 0;
  while (done < size) {
    // Grows with what is there: `size` may be a limit of many megabytes.
    bytes.resize(std::min(size, std::max(kReadBytesFirst, 2 * done)));
    const ssize_t count = ::read(fd, bytes.data() + done, bytes.size() - done);
    if (count < 0 && errno == EINTR) {
      continue;
    }
    if (count < 0) {
      ThrowErrno(errno, path);
    }
    if (count == 0) {
      break;
    }
    done += static_cast<size_t>(count);
  }
  bytes.resize(done);
  return bytes;
}

Existing InspectForWriting(const std::string& path) {
  struct stat info {};
  if (::lstat(path.c_str(), &info) != 0) {
    if (errno == ENOENT) {
      return {};
    }
    ThrowErrno(errno, path);
  }
  if (S_ISDIR(info.st_mode)) {
    ThrowErrno(EISDIR, path);
  }
  if (S_ISLNK(info.st_mode)) {
    throw sdk::ToolError("is a symbolic link to " + LinkTarget(path) + ": " + ShownPath(path));
  }
  if (!S_ISREG(info.st_mode)) {
    throw sdk::ToolError("not a regular file: " + ShownPath(path));
  }
  // A rename would get past the permissions of the file itself.
  if (::faccessat(AT_FDCWD, path.c_str(), W_OK, AT_EACCESS) != 0) {
    ThrowErrno(errno, path);
  }
  return {.exists = true,
          .size = static_cast<uint64_t>(info.st_size),
          .mode = info.st_mode & kPermissionBits};
}

void ReplaceFile(const std::string& path, std::string_view content, const Existing& existing) {
  // A write beyond the file size limit then fails with EFBIG instead of killing the tool.
  ::signal(SIGXFSZ, SIG_IGN);
  MakeParents(path);
  const std::string parent = ParentOf(path);
  TemporaryFile temporary(parent);
  if (temporary.fd() < 0 || !WriteWhole(temporary.fd(), content) ||
      ::fchmod(temporary.fd(), existing.exists ? existing.mode : NewFileMode()) != 0 ||
      ::fsync(temporary.fd()) != 0 || !temporary.MoveTo(path)) {
    ThrowErrno(errno, path);
  }
  const UniqueFd directory(::open(parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!directory || ::fsync(directory.get()) != 0) {
    ThrowErrno(errno, parent, "directory");
  }
}

}  // namespace nacre::tools::builtin
