#include "sandbox/workspace/apply.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <map>
#include <set>

namespace nacre::sandbox {
namespace {

constexpr size_t kNamesMax = 1 << 20;
constexpr size_t kAttributeBytesMax = 64 * 1024;  // the kernel's XATTR_SIZE_MAX

bool IsDirectory(const EntryState& state) {
  return state.type == EntryType::kDirectory;
}

// The permission bits of a folder that is being made come last, so a crash can leave others: its type
// is what counts.
bool Matches(const EntryState& now, const EntryState& wanted) {
  return IsDirectory(wanted) ? IsDirectory(now) : SameContent(now, wanted);
}

struct timespec ToTimespec(int64_t nanoseconds) {
  return {.tv_sec = nanoseconds / 1'000'000'000, .tv_nsec = nanoseconds % 1'000'000'000};
}

// As chown(1) takes it.
std::string OwnerText(const EntryState& state) {
  return std::to_string(state.uid) + ":" + std::to_string(state.gid);
}

class Applier {
 public:
  Applier(const Journal& journal, const TreeRoot& workspace, const ApplyOptions& options)
      : journal_(journal), workspace_(workspace), options_(options) {}

  Result<std::vector<Conflict>> Check() {
    for (const JournalChange& each : journal_.header().changes) {
      by_path_[each.change.path] = &each;
    }
    for (const JournalChange& each : journal_.header().changes) {
      NACRE_TRY(CheckOne(each));
    }
    return conflicts_;
  }

  Result<std::vector<Conflict>> Run() {
    SweepTemporaries();
    NACRE_TRY(Check());
    if (!conflicts_.empty() && options_.on_conflict == OnConflict::kStop) {
      return conflicts_;
    }
    const std::vector<JournalChange>& changes = journal_.header().changes;
    for (const JournalChange& each : changes) {
      NACRE_TRY(OpenUp(each));
    }
    for (size_t i = changes.size(); i-- > 0;) {
      NACRE_TRY(Remove(changes[i]));
      if (Stopped()) {
        return conflicts_;
      }
    }
    for (size_t i = 0; i < changes.size(); ++i) {
      NACRE_TRY(Put(i));
      NACRE_TRY(CheckOwner(changes[i]));
      if (Stopped()) {
        return conflicts_;
      }
    }
    // From the leaves up, and last: the mode may be one under which nothing can be put inside.
    for (size_t i = changes.size(); i-- > 0;) {
      NACRE_TRY(SetFolderMode(changes[i]));
    }
    NACRE_TRY(SyncFolders());
    return conflicts_;
  }

 private:
  const EntryState& From(const JournalChange& each) const {
    return options_.direction == Direction::kForward ? each.change.before : each.change.after;
  }
  const EntryState& To(const JournalChange& each) const {
    return options_.direction == Direction::kForward ? each.change.after : each.change.before;
  }
  const Extent& ToExtent(const JournalChange& each) const {
    return options_.direction == Direction::kForward ? each.after : each.before;
  }

  bool Stopped() const { return !conflicts_.empty() && options_.on_conflict == OnConflict::kStop; }

  Status Hook(const char* step) const { return options_.hook ? options_.hook(step) : Ok(); }

  void Conflicting(const std::string& path, const std::string& reason) {
    if (foreign_.insert(path).second) {
      conflicts_.push_back({path, reason});
    }
  }

  Status CheckOne(const JournalChange& each) {
    const std::string& path = each.change.path;
    const TreeEntry now = NACRE_TRY(Now(each));
    // A folder that gave way to a file, or the other way round, is for an instant neither.
    const bool between =
        now.state.type == EntryType::kNone && (IsDirectory(From(each)) != IsDirectory(To(each)));
    if (!between && !Matches(now.state, From(each)) && !Matches(now.state, To(each))) {
      Conflicting(path, now.state.type == EntryType::kNone ? "is gone" : "was changed");
      return Ok();
    }
    if (IsDirectory(now.state) && !IsDirectory(To(each))) {
      // What else is in a folder that is to go is somebody's.
      for (const std::string& name : NACRE_TRY(workspace_.Names(path, kNamesMax))) {
        const auto known = by_path_.find(path + "/" + name);
        if (known == by_path_.end() && !IsTemporary(name)) {
          Conflicting(path + "/" + name, "was added");
        }
      }
    }
    return Ok();
  }

  // The digest is read only where it can decide something.
  Result<TreeEntry> Now(const JournalChange& each) {
    TreeEntry now = NACRE_TRY(workspace_.Look(each.change.path));
    if (now.state.type != EntryType::kFile) {
      return now;
    }
    for (const EntryState* known : {&each.change.before, &each.change.after}) {
      if (known->type == EntryType::kFile && known->size == now.state.size) {
        Result<std::string> digest = workspace_.Digest(each.change.path, now.state.size);
        if (digest.ok()) {
          now.state.digest = std::move(digest).value();
        } else if (digest.error().code != ErrorCode::kFailedPrecondition) {
          return digest.error();
        }
        break;
      }
    }
    return now;
  }

  std::string TemporaryName(size_t index) const {
    return ".nacre-" + journal_.header().id + "-" + std::to_string(index);
  }
  bool IsTemporary(const std::string& name) const {
    return name.starts_with(".nacre-" + journal_.header().id + "-");
  }

  // What a run that a crash or an error ended left beside its files.
  void SweepTemporaries() const {
    for (size_t i = 0; i < journal_.header().changes.size(); ++i) {
      const Change& change = journal_.header().changes[i].change;
      const Result<UniqueFd> parent = workspace_.OpenParent(change.path);
      if (parent.ok()) {
        ::unlinkat(parent.value().get(), TemporaryName(i).c_str(), 0);
      }
    }
  }

  // A folder that is changed, and that its owner may not change just now.
  Status OpenUp(const JournalChange& each) {
    const TreeEntry now = NACRE_TRY(workspace_.Look(each.change.path));
    if (IsDirectory(now.state) && (now.state.mode & 0700U) != 0700U &&
        !foreign_.contains(each.change.path)) {
      NACRE_TRY(Hook("open folder"));
      return ChangeMode(each.change.path, now.state.mode | 0700U);
    }
    return Ok();
  }

  Status SetFolderMode(const JournalChange& each) {
    const TreeEntry now = NACRE_TRY(workspace_.Look(each.change.path));
    if (!IsDirectory(To(each)) || !IsDirectory(now.state) || now.state.mode == To(each).mode ||
        foreign_.contains(each.change.path)) {
      return Ok();
    }
    NACRE_TRY(Hook("folder mode"));
    return ChangeMode(each.change.path, To(each).mode);
  }

  // By O_PATH: a folder that may not be opened can still be given another mode.
  Status ChangeMode(const std::string& path, uint32_t mode) {
    const UniqueFd parent = NACRE_TRY(workspace_.OpenParent(path));
    const UniqueFd folder(::openat(parent.get(), LeafOf(path).c_str(),
                                   O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    const std::string by_descriptor = "/proc/self/fd/" + std::to_string(folder.get());
    if (!folder || ::chmod(by_descriptor.c_str(), mode) != 0) {
      return SysError("set the mode of " + EncodePath(path), errno);
    }
    folders_.insert(path);
    return Ok();
  }

  // First pass: what has to make way.
  Status Remove(const JournalChange& each) {
    const std::string& path = each.change.path;
    if (To(each).type != EntryType::kNone && IsDirectory(From(each)) == IsDirectory(To(each))) {
      return Ok();
    }
    const TreeEntry now = NACRE_TRY(workspace_.Look(path));
    if (now.state.type == EntryType::kNone || foreign_.contains(path) ||
        (To(each).type != EntryType::kNone && now.state.type == To(each).type)) {
      return Ok();
    }
    const TreeEntry still = NACRE_TRY(Now(each));
    if (!Matches(still.state, From(each))) {
      Conflicting(path, "was changed");
      return Ok();
    }
    const UniqueFd parent = NACRE_TRY(workspace_.OpenParent(path));
    NACRE_TRY(Hook("remove"));
    if (::unlinkat(parent.get(), LeafOf(path).c_str(), IsDirectory(now.state) ? AT_REMOVEDIR : 0) !=
        0) {
      if (errno == ENOTEMPTY || errno == EEXIST) {
        Conflicting(path, "has something new in it");
        return Ok();
      }
      return SysError("remove " + EncodePath(path), errno);
    }
    folders_.insert(ParentOf(path));
    return Ok();
  }

  // Second pass: what has to be there.
  Status Put(size_t index) {
    const JournalChange& each = journal_.header().changes[index];
    const EntryState& wanted = To(each);
    const std::string& path = each.change.path;
    if (wanted.type == EntryType::kNone || foreign_.contains(path)) {
      return Ok();
    }
    const TreeEntry now = NACRE_TRY(Now(each));
    Result<UniqueFd> opened = workspace_.OpenParent(path);
    if (!opened.ok()) {
      if (options_.on_conflict == OnConflict::kLeave) {
        Conflicting(path, "has no folder to be in");
        return Ok();
      }
      return opened.error();
    }
    const UniqueFd& parent = opened.value();
    const std::string leaf = LeafOf(path);
    if (wanted.type == EntryType::kDirectory) {
      return PutFolder(parent, leaf, wanted, now.state, path);
    }
    const std::string temporary = TemporaryName(index);
    if (SameContent(now.state, wanted)) {
      if (wanted.type == EntryType::kFile && now.state.mtime_ns != wanted.mtime_ns) {
        NACRE_TRY(Hook("set time"));
        SetTime(parent, leaf, wanted);
      }
      folders_.insert(ParentOf(path));
      return Ok();
    }
    if (!Matches(now.state, From(each)) && now.state.type != EntryType::kNone) {
      Conflicting(path, "was changed");
      return Ok();
    }
    NACRE_TRY(Hook("write beside"));
    Status written = wanted.type == EntryType::kSymlink
                         ? MakeLink(parent, temporary, wanted)
                         : WriteFile(parent, leaf, temporary, each, now.state);
    if (!written.ok()) {
      ::unlinkat(parent.get(), temporary.c_str(), 0);
      return WithContext("write " + EncodePath(path), written.error());
    }
    return Rename(parent, temporary, leaf, path, now);
  }

  Status PutFolder(const UniqueFd& parent, const std::string& leaf, const EntryState& wanted,
                   const EntryState& now, const std::string& path) {
    if (!IsDirectory(now)) {
      NACRE_TRY(Hook("make folder"));
      if (::mkdirat(parent.get(), leaf.c_str(), 0700) != 0) {
        if (errno == EEXIST) {
          Conflicting(path, "was added");
          return Ok();
        }
        return SysError("make the folder " + EncodePath(path), errno);
      }
      folders_.insert(ParentOf(path));
    }
    if (!IsDirectory(now)) {
      const UniqueFd folder = NACRE_TRY(workspace_.OpenFolder(path));
      (void)Own(folder, wanted);
    }
    return Ok();
  }

  // A file system may refuse what we are allowed to do: that of a server that trusts no root, say.
  Status CheckOwner(const JournalChange& each) {
    const EntryState& wanted = To(each);
    if (options_.misowned == nullptr || wanted.type == EntryType::kNone ||
        foreign_.contains(each.change.path)) {
      return Ok();
    }
    const EntryState now = NACRE_TRY(workspace_.Look(each.change.path)).state;
    if (now.type == wanted.type && (now.uid != wanted.uid || now.gid != wanted.gid)) {
      options_.misowned->push_back(
          {each.change.path, "belongs to " + OwnerText(now) + " and not to " + OwnerText(wanted)});
    }
    return Ok();
  }

  // False when it may not become that owner's: CheckOwner() tells.
  static bool Own(const UniqueFd& file, const EntryState& wanted) {
    struct stat info = {};
    return ::fstat(file.get(), &info) == 0 &&
           ((info.st_uid == wanted.uid && info.st_gid == wanted.gid) ||
            ::fchown(file.get(), wanted.uid, wanted.gid) == 0);
  }

  static void SetTime(const UniqueFd& parent, const std::string& leaf, const EntryState& wanted) {
    const struct timespec times[2] = {{.tv_sec = 0, .tv_nsec = UTIME_OMIT},
                                      ToTimespec(wanted.mtime_ns)};
    ::utimensat(parent.get(), leaf.c_str(), times, AT_SYMLINK_NOFOLLOW);
  }

  static Status MakeLink(const UniqueFd& parent, const std::string& name,
                         const EntryState& wanted) {
    if (::symlinkat(wanted.target.c_str(), parent.get(), name.c_str()) != 0) {
      return SysError("symlink", errno);
    }
    (void)!::fchownat(parent.get(), name.c_str(), wanted.uid, wanted.gid, AT_SYMLINK_NOFOLLOW);
    return Ok();
  }

  Status WriteFile(const UniqueFd& parent, const std::string& leaf, const std::string& name,
                   const JournalChange& each, const EntryState& now) const {
    const EntryState& wanted = To(each);
    const UniqueFd file(::openat(parent.get(), name.c_str(),
                                 O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
    if (!file) {
      return SysError("create", errno);
    }
    const std::string digest = NACRE_TRY(CopyExtent(journal_.file(), ToExtent(each), file));
    if (digest != wanted.digest) {
      return Error{ErrorCode::kDataLoss, "the journal was changed"};
    }
    const bool owned = Own(file, wanted);
    // Back, to whom it belonged may be no longer possible: the content counts then.
    if (!owned && now.type == EntryType::kFile && options_.direction == Direction::kForward) {
      return Error{ErrorCode::kPermissionDenied, "a new version cannot be given to its owner"};
    }
    if (now.type == EntryType::kFile) {
      CopyAttributes(parent, leaf, file);
    }
    if (::fchmod(file.get(), wanted.mode & 0777U) != 0) {
      return SysError("set the mode", errno);
    }
    const struct timespec times[2] = {{.tv_sec = 0, .tv_nsec = UTIME_OMIT},
                                      ToTimespec(wanted.mtime_ns)};
    ::futimens(file.get(), times);
    NACRE_TRY(Hook("fsync beside"));
    if (::fsync(file.get()) != 0) {
      return SysError("fsync", errno);
    }
    return Ok();
  }

  // Of the file that is replaced: ACLs, labels, user attributes. What cannot be read or set is not.
  static void CopyAttributes(const UniqueFd& parent, const std::string& leaf, const UniqueFd& to) {
    const UniqueFd from(
        ::openat(parent.get(), leaf.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
    if (!from) {
      return;
    }
    std::string names(kAttributeBytesMax, '\0');
    const ssize_t size = ::flistxattr(from.get(), names.data(), names.size());
    std::string value(kAttributeBytesMax, '\0');
    for (ssize_t at = 0; at < size;) {
      const char* name = names.c_str() + at;
      const ssize_t got = ::fgetxattr(from.get(), name, value.data(), value.size());
      if (got >= 0 && std::string_view(name) != "security.capability") {
        ::fsetxattr(to.get(), name, value.data(), static_cast<size_t>(got), 0);
      }
      at += static_cast<ssize_t>(std::string_view(name).size()) + 1;
    }
  }

  Status Rename(const UniqueFd& parent, const std::string& temporary, const std::string& leaf,
                const std::string& path, const TreeEntry& seen) {
    NACRE_TRY(Hook("rename"));
    // Once more, as late as can be: somebody may have saved the file in the meantime.
    const TreeEntry now = NACRE_TRY(workspace_.Look(path));
    int renamed = -1;
    if (now.identity == seen.identity) {
      const bool fresh = now.state.type == EntryType::kNone;
      renamed = ::renameat2(parent.get(), temporary.c_str(), parent.get(), leaf.c_str(),
                            fresh ? RENAME_NOREPLACE : 0);
      if (renamed != 0 && fresh && errno == EINVAL) {  // a file system without that flag
        renamed = ::renameat(parent.get(), temporary.c_str(), parent.get(), leaf.c_str());
      }
    } else {
      errno = EEXIST;
    }
    if (renamed != 0) {
      const int rename_errno = errno;
      ::unlinkat(parent.get(), temporary.c_str(), 0);
      if (rename_errno == EEXIST) {
        Conflicting(path, "was changed");
        return Ok();
      }
      return SysError("replace " + EncodePath(path), rename_errno);
    }
    folders_.insert(ParentOf(path));
    return Ok();
  }

  Status SyncFolders() {
    for (const std::string& path : folders_) {
      const Result<UniqueFd> folder = workspace_.OpenFolder(path);
      if (!folder.ok()) {
        continue;  // removed after it was changed; the folder above is synced
      }
      NACRE_TRY(Hook("fsync folder"));
      if (::fsync(folder.value().get()) != 0) {
        return SysError("fsync the folder " + EncodePath(path), errno);
      }
    }
    return Ok();
  }

  const Journal& journal_;
  const TreeRoot& workspace_;
  const ApplyOptions& options_;
  std::map<std::string, const JournalChange*> by_path_;
  std::set<std::string> folders_;  // in which a name was added, removed or replaced
  std::set<std::string> foreign_;  // somebody else's now
  std::vector<Conflict> conflicts_;
};

}  // namespace

Result<std::vector<Conflict>> ApplyJournal(const Journal& journal, const TreeRoot& workspace,
                                           const ApplyOptions& options) {
  return Applier(journal, workspace, options).Run();
}

Result<std::vector<Conflict>> FindConflicts(const Journal& journal, const TreeRoot& workspace,
                                            Direction direction) {
  const ApplyOptions options{.direction = direction, .on_conflict = OnConflict::kStop, .hook = {}};
  return Applier(journal, workspace, options).Check();
}

}  // namespace nacre::sandbox
