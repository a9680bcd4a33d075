#include "sandbox/workspace/tree_root.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <memory>

#include "base/digest.h"
#include "sandbox/kernel/syscalls.h"

namespace nacre::sandbox {
namespace {

constexpr size_t kPathBytesMax = 4095;
constexpr size_t kNameBytesMax = 255;

int OpenBeneath(int root, const std::string& path, uint64_t flags) {
  struct open_how how = {};
  how.flags = flags | O_CLOEXEC;
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV;
  const int fd = kernel::OpenAt2(root, path.empty() ? "." : path.c_str(), how);
  return fd < 0 ? -errno : fd;
}

std::string Named(const char* what, const std::string& path) {
  return std::string(what) + " " + (path.empty() ? "the workspace" : EncodePath(path));
}

int64_t Nanoseconds(const struct timespec& time) {
  return static_cast<int64_t>(time.tv_sec) * 1'000'000'000 + time.tv_nsec;
}

EntryType TypeOf(mode_t mode) {
  return S_ISREG(mode)   ? EntryType::kFile
         : S_ISDIR(mode) ? EntryType::kDirectory
         : S_ISLNK(mode) ? EntryType::kSymlink
                         : EntryType::kOther;
}

// Gives its owner, which we are, the permissions to look. The tree is still, so the name is safe.
void MakeReadable(int parent, const std::string& leaf) {
  struct stat info = {};
  if (::fstatat(parent, leaf.c_str(), &info, AT_SYMLINK_NOFOLLOW) == 0 &&
      (S_ISREG(info.st_mode) || S_ISDIR(info.st_mode))) {
    // When it fails, opening the entry says why.
    static_cast<void>(::fchmodat(parent, leaf.c_str(),
                                 (info.st_mode & 07777) | (S_ISDIR(info.st_mode) ? 0700 : 0600),
                                 0) == 0);
  }
}

}  // namespace

std::string LeafOf(const std::string& path) {
  return path.substr(path.rfind('/') + 1);  // npos + 1 is 0
}

std::string ParentOf(const std::string& path) {
  const size_t slash = path.rfind('/');
  return slash == std::string::npos ? std::string() : path.substr(0, slash);
}

bool IsTreePath(const std::string& path) {
  if (path.empty() || path.size() > kPathBytesMax || path.find('\0') != std::string::npos) {
    return false;
  }
  size_t start = 0;
  while (start <= path.size()) {
    const size_t end = std::min(path.find('/', start), path.size());
    const std::string_view component = std::string_view(path).substr(start, end - start);
    if (component.empty() || component == "." || component == ".." ||
        component.size() > kNameBytesMax) {
      return false;
    }
    start = end + 1;
  }
  return true;
}

Result<TreeRoot> TreeRoot::Open(const std::string& path) {
  UniqueFd folder(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!folder) {
    return SysError("open " + path, errno);
  }
  return TreeRoot(std::move(folder));
}

Result<UniqueFd> TreeRoot::OpenParent(const std::string& path) const {
  const int parent = OpenBeneath(folder_.get(), ParentOf(path), O_PATH | O_DIRECTORY);
  if (parent < 0) {
    return SysError(Named("open the folder of", path), -parent);
  }
  return UniqueFd(parent);
}

Result<TreeEntry> TreeRoot::Look(const std::string& path) const {
  TreeEntry entry;
  UniqueFd parent;
  int at = folder_.get();
  if (!path.empty()) {
    const int opened = OpenBeneath(folder_.get(), ParentOf(path), O_PATH | O_DIRECTORY);
    if (opened == -ENOENT || opened == -ENOTDIR || opened == -ELOOP) {
      return entry;  // ELOOP: a symlink stands where a folder would be
    }
    if (opened < 0) {
      return SysError(Named("look at", path), -opened);
    }
    parent.reset(opened);
    at = opened;
  }
  const std::string leaf = LeafOf(path);
  struct stat info = {};
  if (::fstatat(at, leaf.c_str(), &info,
                AT_SYMLINK_NOFOLLOW | (path.empty() ? AT_EMPTY_PATH : 0)) != 0) {
    if (errno == ENOENT) {
      return entry;
    }
    return SysError(Named("look at", path), errno);
  }
  EntryState& state = entry.state;
  state.type = TypeOf(info.st_mode);
  state.mode = state.type == EntryType::kSymlink ? 0 : info.st_mode & 07777;
  state.uid = info.st_uid;
  state.gid = info.st_gid;
  if (state.type == EntryType::kFile) {
    state.size = static_cast<uint64_t>(info.st_size);
    state.mtime_ns = Nanoseconds(info.st_mtim);
  }
  if (state.type == EntryType::kSymlink) {
    std::array<char, kPathBytesMax + 1> target = {};
    const ssize_t size = ::readlinkat(at, leaf.c_str(), target.data(), target.size());
    if (size < 0) {
      return SysError(Named("read the link", path), errno);
    }
    state.target.assign(target.data(), static_cast<size_t>(size));
  }
  entry.identity = {
      .device = info.st_dev, .inode = info.st_ino, .ctime_ns = Nanoseconds(info.st_ctim)};
  return entry;
}

Result<UniqueFd> TreeRoot::OpenFolder(const std::string& path) const {
  int folder = OpenBeneath(folder_.get(), path, O_RDONLY | O_DIRECTORY);
  if (folder == -EACCES && ownership_ == Ownership::kOwn && !path.empty()) {
    const UniqueFd parent = NACRE_TRY(OpenParent(path));
    MakeReadable(parent.get(), LeafOf(path));
    folder = OpenBeneath(folder_.get(), path, O_RDONLY | O_DIRECTORY);
  }
  if (folder < 0) {
    return SysError(Named("open", path), -folder);
  }
  return UniqueFd(folder);
}

Result<std::vector<std::string>> TreeRoot::Names(const std::string& path, size_t names_max) const {
  UniqueFd folder = NACRE_TRY(OpenFolder(path));
  const std::unique_ptr<DIR, int (*)(DIR*)> stream(::fdopendir(folder.get()), &::closedir);
  if (stream == nullptr) {
    return SysError(Named("list", path), errno);
  }
  (void)folder.release();  // the stream's now
  std::vector<std::string> names;
  while (true) {
    errno = 0;
    const struct dirent* entry = ::readdir(stream.get());
    if (entry == nullptr) {
      if (errno != 0) {
        return SysError(Named("list", path), errno);
      }
      break;
    }
    const std::string name = entry->d_name;
    if (name == "." || name == "..") {
      continue;
    }
    if (names.size() >= names_max) {
      return Error{ErrorCode::kResourceExhausted, Named("too many entries in", path)};
    }
    names.push_back(name);
  }
  std::sort(names.begin(), names.end());
  return names;
}

Result<UniqueFd> TreeRoot::OpenFile(const std::string& path) const {
  // O_NONBLOCK: a FIFO that took its place must not make us wait.
  constexpr uint64_t kFlags = O_RDONLY | O_NONBLOCK | O_NOCTTY;
  int opened = OpenBeneath(folder_.get(), path, kFlags);
  if (opened == -EACCES && ownership_ == Ownership::kOwn) {
    const UniqueFd parent = NACRE_TRY(OpenParent(path));
    MakeReadable(parent.get(), LeafOf(path));
    opened = OpenBeneath(folder_.get(), path, kFlags);
  }
  if (opened < 0) {
    return SysError(Named("open", path), -opened);
  }
  UniqueFd file(opened);
  struct stat info = {};
  if (::fstat(file.get(), &info) != 0 || !S_ISREG(info.st_mode)) {
    return Error{ErrorCode::kFailedPrecondition, Named("not a regular file:", path)};
  }
  return file;
}

Result<std::string> TreeRoot::Digest(const std::string& path, uint64_t size) const {
  const UniqueFd file = NACRE_TRY(OpenFile(path));
  Sha256Stream digest;
  std::array<char, 64 * 1024> buffer;
  uint64_t total = 0;
  while (true) {
    const ssize_t got = ::read(file.get(), buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) {
      continue;
    }
    if (got < 0) {
      return SysError(Named("read", path), errno);
    }
    if (got == 0) {
      break;
    }
    total += static_cast<uint64_t>(got);
    if (total > size) {
      break;  // it grows: not the file that was looked at
    }
    digest.Update(std::string_view(buffer.data(), static_cast<size_t>(got)));
  }
  if (total != size) {
    return Error{ErrorCode::kFailedPrecondition, EncodePath(path) + " changed while it was read"};
  }
  return "sha256:" + ToHex(digest.Finish());
}

Result<TreeEntry> TreeRoot::Read(const std::string& path) const {
  TreeEntry entry = NACRE_TRY(Look(path));
  if (entry.state.type == EntryType::kFile) {
    entry.state.digest = NACRE_TRY(Digest(path, entry.state.size));
  }
  return entry;
}

}  // namespace nacre::sandbox
