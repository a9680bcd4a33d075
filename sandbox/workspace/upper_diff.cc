#include "sandbox/workspace/upper_diff.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include <algorithm>
#include <cerrno>

namespace nacre::sandbox {
namespace {

constexpr size_t kRefusalsMax = 20;

// What is known of the workspace's folder at the same path.
enum class Below {
  kMerged = 0,  // seen through: what the upper layer lacks is unchanged
  kReplaced,    // not seen: what the upper layer lacks is deleted
  kNothing,     // there is no folder there
};

class UpperReader {
 public:
  UpperReader(const TreeRoot& upper, const TreeRoot& workspace, const DiffLimits& limits)
      : upper_(upper), workspace_(workspace), builder_(workspace, limits) {}

  Result<Diff> Read() {
    NACRE_TRY(Folder("", Below::kMerged, 0));
    return builder_.Finish();
  }

 private:
  Status Folder(const std::string& path, Below below, int depth) {
    if (depth > kLayerDepthMax) {
      builder_.Refuse(path, "a tree deeper than " + std::to_string(kLayerDepthMax) + " folders");
      return Ok();
    }
    const std::vector<std::string> names = NACRE_TRY(upper_.Names(path, kFolderNamesMax));
    for (const std::string& name : names) {
      if (!builder_.open()) {
        return Ok();
      }
      NACRE_TRY(Entry(path.empty() ? name : path + "/" + name, below, depth));
    }
    if (below == Below::kReplaced) {
      for (const std::string& name : NACRE_TRY(workspace_.Names(path, kFolderNamesMax))) {
        if (builder_.open() && !std::binary_search(names.begin(), names.end(), name)) {
          NACRE_TRY(builder_.AddDeleted(path + "/" + name));
        }
      }
    }
    return Ok();
  }

  Status Entry(const std::string& path, Below below, int depth) {
    if (!IsTreePath(path)) {
      builder_.Refuse(path, "a path that is too long");
      return Ok();
    }
    const TreeEntry found = NACRE_TRY(upper_.Look(path));
    if (found.state.type == EntryType::kOther && IsWhiteout(path)) {
      return builder_.AddDeleted(path);
    }
    if (!builder_.MayCommit(path, found.state)) {
      return Ok();
    }
    EntryState after = found.state;
    bool copied_up = false;
    if (after.type == EntryType::kFile) {
      after.digest = NACRE_TRY(upper_.Digest(path, after.size));
      const UniqueFd file = NACRE_TRY(upper_.OpenFile(path));
      copied_up = ::fgetxattr(file.get(), "user.overlay.origin", nullptr, 0) >= 0;
    }
    if (after.type != EntryType::kDirectory) {
      return builder_.Add(path, after, copied_up);
    }
    const UniqueFd folder = NACRE_TRY(upper_.OpenFolder(path));
    for (const char* foreign : {"user.overlay.redirect", "user.overlay.metacopy"}) {
      if (::fgetxattr(folder.get(), foreign, nullptr, 0) >= 0) {
        builder_.Refuse(path, std::string("a folder with the attribute ") + foreign);
        return Ok();
      }
    }
    Below inside = Below::kNothing;
    if (below != Below::kNothing) {
      const TreeEntry replaced = NACRE_TRY(workspace_.Look(path));
      if (replaced.state.type == EntryType::kDirectory) {
        inside = below == Below::kReplaced || IsOpaque(folder) ? Below::kReplaced : Below::kMerged;
      }
    }
    NACRE_TRY(builder_.Add(path, after));
    return Folder(path, inside, depth + 1);
  }

  bool IsWhiteout(const std::string& path) const {
    const Result<UniqueFd> parent = upper_.OpenParent(path);
    struct stat info = {};
    return parent.ok() &&
           ::fstatat(parent.value().get(), LeafOf(path).c_str(), &info, AT_SYMLINK_NOFOLLOW) == 0 &&
           S_ISCHR(info.st_mode) && info.st_rdev == 0;
  }

  static bool IsOpaque(const UniqueFd& folder) {
    char value = 0;
    return ::fgetxattr(folder.get(), "user.overlay.opaque", &value, 1) == 1 && value == 'y';
  }

  const TreeRoot& upper_;
  const TreeRoot& workspace_;
  DiffBuilder builder_;
};

}  // namespace

void DiffBuilder::Refuse(const std::string& path, const std::string& reason) {
  if (diff_.refusals.size() < kRefusalsMax) {
    diff_.refusals.push_back({path, reason});
  } else {
    full_ = true;
  }
}

bool DiffBuilder::MayCommit(const std::string& path, const EntryState& after) {
  if (after.type == EntryType::kOther) {
    Refuse(path, "a device, FIFO or socket");
    return false;
  }
  if (after.type != EntryType::kFile) {
    return true;
  }
  if ((after.mode & (S_ISUID | S_ISGID)) != 0) {
    Refuse(path, "a setuid or setgid program");
    return false;
  }
  if (after.size > limits_.bytes - std::min(bytes_, limits_.bytes)) {
    Refuse(path, "more than " + std::to_string(limits_.bytes) + " bytes changed");
    full_ = true;
    return false;
  }
  return true;
}

Status DiffBuilder::Add(const std::string& path, const EntryState& given, bool copied_up) {
  TreeEntry before = NACRE_TRY(workspace_.Look(path));
  EntryState after = given;
  if (after.type == EntryType::kDirectory) {
    // A folder's special bits are inherited from the folder above, not chosen: they stay.
    after.mode = (after.mode & 0777U) |
                 (before.state.type == EntryType::kDirectory ? before.state.mode & 07000U
                                                             : after.mode & S_ISVTX);
  }
  NACRE_TRY(Record(path, before, after, copied_up));
  if (before.state.type == EntryType::kDirectory && after.type != EntryType::kDirectory) {
    for (const std::string& name : NACRE_TRY(workspace_.Names(path, kFolderNamesMax))) {
      NACRE_TRY(AddDeleted(path + "/" + name));
    }
  }
  return Ok();
}

Status DiffBuilder::AddDeleted(const std::string& path) {
  // Depth first by hand: the workspace's depth is not ours to trust.
  std::vector<std::string> waiting = {path};
  while (!waiting.empty() && open()) {
    const std::string next = std::move(waiting.back());
    waiting.pop_back();
    const TreeEntry before = NACRE_TRY(workspace_.Look(next));
    NACRE_TRY(Record(next, before, EntryState{}, false));
    if (before.state.type == EntryType::kDirectory) {
      for (const std::string& name : NACRE_TRY(workspace_.Names(next, kFolderNamesMax))) {
        waiting.push_back(next + "/" + name);
      }
    }
  }
  return Ok();
}

Status DiffBuilder::Record(const std::string& path, const TreeEntry& before,
                           const EntryState& after, bool copied_up) {
  if (before.state.type == EntryType::kNone && after.type == EntryType::kNone) {
    return Ok();
  }
  if (before.state.type == EntryType::kOther) {
    Refuse(path, "takes the place of a device, FIFO or socket");
    return Ok();
  }
  if (before.state.type == EntryType::kDirectory && SameContent(before.state, after)) {
    return Ok();
  }
  if (diff_.changes.size() >= limits_.changes) {
    Refuse(path, "more than " + std::to_string(limits_.changes) + " changes");
    full_ = true;
    return Ok();
  }
  const uint64_t size = before.state.size + after.size;
  if (size > limits_.bytes - std::min(bytes_, limits_.bytes)) {
    Refuse(path, "more than " + std::to_string(limits_.bytes) + " bytes changed or deleted");
    full_ = true;
    return Ok();
  }
  Change change{.path = path,
                .before = before.state,
                .after = after,
                .replaced = before.identity,
                .copied_up = copied_up};
  if (!change.deleted() && !NACRE_TRY(ChooseOwner(change))) {
    Refuse(path, "belongs to another user or group, to whom a new version could not be given");
    return Ok();
  }
  if (change.before.type == EntryType::kFile) {
    Result<std::string> digest = workspace_.Digest(path, change.before.size);
    if (!digest.ok()) {
      // Undo could not give it back, and whether it changed since could not be told.
      Refuse(path, "takes the place of what cannot be read: " + digest.error().message);
      return Ok();
    }
    change.before.digest = std::move(digest).value();
  }
  if (change.touched() && change.before.mtime_ns == change.after.mtime_ns) {
    return Ok();  // copied up, and left as it was
  }
  bytes_ += size;
  diff_.changes.push_back(std::move(change));
  return Ok();
}

// Inside, all files are one user's. Outside, what was there stays its owner's, and what is new belongs
// to the workspace's owner. False when a file that was written in place would change its owner; what
// took its place is ours, as it would be without a sandbox.
Result<bool> DiffBuilder::ChooseOwner(Change& change) const {
  const EntryState& before = change.before;
  EntryState& after = change.after;
  const EntryState known = change.created() ? NACRE_TRY(workspace_.Look("")).state : before;
  kernel::Ids owner{.uid = known.uid, .gid = known.gid};
  const bool may_give = givable_.MayGive(owner);
  const bool stays = before.type == EntryType::kDirectory && after.type == EntryType::kDirectory;
  if (!may_give && change.copied_up && before.type == EntryType::kFile) {
    return false;
  }
  if (!may_give && !stays) {
    owner = givable_.self();
  }
  if (change.created() || (!may_give && !stays)) {
    if (const auto group = NACRE_TRY(InheritedGroup(change.path)); group.has_value()) {
      owner.gid = *group;
      after.mode |= after.type == EntryType::kDirectory ? S_ISGID : 0U;
    }
  }
  after.uid = owner.uid;
  after.gid = owner.gid;
  return true;
}

// What is made in a setgid folder gets its group; so does what is made in a folder that is made there.
Result<std::optional<gid_t>> DiffBuilder::InheritedGroup(const std::string& path) const {
  std::string above = path;
  while (!above.empty()) {
    above = ParentOf(above);
    const EntryState folder = NACRE_TRY(workspace_.Look(above)).state;
    if (folder.type == EntryType::kDirectory) {
      return (folder.mode & S_ISGID) != 0 ? std::optional<gid_t>(folder.gid) : std::nullopt;
    }
  }
  return std::optional<gid_t>();
}

Diff DiffBuilder::Finish() {
  std::sort(diff_.changes.begin(), diff_.changes.end(),
            [](const Change& a, const Change& b) { return a.path < b.path; });
  return std::move(diff_);
}

Result<Diff> ReadUpperDiff(const TreeRoot& upper, const TreeRoot& workspace,
                           const DiffLimits& limits) {
  return UpperReader(upper, workspace, limits).Read();
}

bool IsUntouched(const TreeRoot& upper) {
  const Result<std::vector<std::string>> names = upper.Names("", 1);
  return names.ok() && names.value().empty();
}

}  // namespace nacre::sandbox
