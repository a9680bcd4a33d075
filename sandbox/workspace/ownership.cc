#include "sandbox/workspace/ownership.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <string_view>

#include "base/unique_fd.h"
#include "sandbox/kernel/tree_copy.h"

namespace nacre::sandbox {
namespace {

constexpr uint64_t kPageBytes = 4096;

using Stream = std::unique_ptr<DIR, int (*)(DIR*)>;

Stream OpenStream(int at, const char* name, int flags) {
  UniqueFd folder(::openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | flags));
  Stream stream(folder ? ::fdopendir(folder.get()) : nullptr, &::closedir);
  if (stream != nullptr) {
    (void)folder.release();  // the stream's now
  }
  return stream;
}

class OwnerWalk {
 public:
  OwnerWalk(const kernel::Ids& seen, const GivableOwners& givable, const CopyRoom& room,
            const Patience& patience)
      : seen_(seen), givable_(givable), room_(room), patience_(patience) {}

  bool Walk(const std::string& workspace) {
    Stream root = OpenStream(AT_FDCWD, workspace.c_str(), 0);
    struct stat info = {};
    if (root == nullptr || ::fstat(::dirfd(root.get()), &info) != 0) {
      return false;
    }
    device_ = info.st_dev;
    Note(info);
    streams_.push_back(std::move(root));
    while (!streams_.empty()) {
      if (patience_.ended() || !Next()) {
        return false;
      }
    }
    return found_;
  }

 private:
  void Note(const struct stat& info) {
    const kernel::Ids owner{.uid = info.st_uid, .gid = info.st_gid};
    found_ = found_ || (owner != seen_ && givable_.MayGive(owner));
  }

  // The next name of the innermost folder; false when there is no room for a copy.
  bool Next() {
    const int folder = ::dirfd(streams_.back().get());
    const struct dirent* entry = ::readdir(streams_.back().get());
    if (entry == nullptr) {
      streams_.pop_back();
      return true;
    }
    const std::string_view name = entry->d_name;
    struct stat info = {};
    if (name == "." || name == ".." ||
        ::fstatat(folder, entry->d_name, &info, AT_SYMLINK_NOFOLLOW) != 0 ||
        info.st_dev != device_) {
      return true;
    }
    // A copy takes whole pages, and about half a one for the entry itself.
    const uint64_t size = S_ISREG(info.st_mode) ? static_cast<uint64_t>(info.st_size) : 0;
    const uint64_t bytes = (size + kPageBytes - 1) / kPageBytes * kPageBytes + kPageBytes / 2;
    if (++entries_ > room_.entries || bytes > room_.bytes - bytes_) {
      return false;
    }
    bytes_ += bytes;
    Note(info);
    if (!S_ISDIR(info.st_mode)) {
      return true;
    }
    if (streams_.size() >= kernel::kCopiedDepthMax) {
      return false;
    }
    if (Stream below = OpenStream(folder, entry->d_name, O_NOFOLLOW); below != nullptr) {
      streams_.push_back(std::move(below));
    }
    return true;
  }

  const kernel::Ids seen_;
  const GivableOwners& givable_;
  const CopyRoom room_;
  const Patience& patience_;
  dev_t device_ = 0;
  std::vector<Stream> streams_;  // the folder that is being read, and those above it
  uint64_t entries_ = 0;
  uint64_t bytes_ = 0;
  bool found_ = false;
};

}  // namespace

GivableOwners GivableOwners::OfThisProcess() {
  std::vector<gid_t> groups(static_cast<size_t>(std::max(::getgroups(0, nullptr), 0)));
  const int count = ::getgroups(static_cast<int>(groups.size()), groups.data());
  groups.resize(static_cast<size_t>(std::max(count, 0)));
  return GivableOwners({.uid = ::geteuid(), .gid = ::getegid()}, std::move(groups),
                       kernel::OwnStanding(), kernel::HowUnmappedLook());
}

GivableOwners::GivableOwners(const kernel::Ids& self, std::vector<gid_t> groups,
                             kernel::Standing standing, const kernel::Unmapped& unmapped)
    : self_(self),
      any_(standing == kernel::Standing::kRoot),
      unmapped_(unmapped),
      groups_(std::move(groups)) {
  std::erase(groups_, self_.gid);
}

bool GivableOwners::MayGive(const kernel::Ids& owner) const {
  if (owner.uid == unmapped_.uid || owner.gid == unmapped_.gid) {
    return false;
  }
  return any_ || (owner.uid == self_.uid &&
                  (owner.gid == self_.gid ||
                   std::find(groups_.begin(), groups_.end(), owner.gid) != groups_.end()));
}

bool GivableOwners::IsOnly(const kernel::Ids& owner) const {
  return !any_ && groups_.empty() && owner == self_;
}

bool IsBetterCopied(const std::string& workspace, const kernel::Ids& seen,
                    const GivableOwners& givable, const CopyRoom& room, const Patience& patience) {
  return !givable.IsOnly(seen) && OwnerWalk(seen, givable, room, patience).Walk(workspace);
}

}  // namespace nacre::sandbox
