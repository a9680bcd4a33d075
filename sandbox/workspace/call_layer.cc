#include "sandbox/workspace/call_layer.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>

#include "sandbox/workspace/upper_diff.h"

namespace nacre::sandbox {
namespace {

// An empty stand-in for what could not be copied: see kernel/tree_copy.h.
bool IsWithheld(const EntryState& state) {
  constexpr uint32_t kEnter = S_IRUSR | S_IXUSR;
  return (state.type == EntryType::kFile && (state.mode & S_IRUSR) == 0) ||
         (state.type == EntryType::kDirectory && (state.mode & kEnter) != kEnter);
}

std::string Joined(const std::string& folder, const std::string& name) {
  return folder.empty() ? name : folder + "/" + name;
}

}  // namespace

CallLayer CallLayer::OfOverlay(UniqueFd upper) {
  return CallLayer(LayerKind::kOverlay, std::move(upper));
}

Result<CallLayer> CallLayer::OfCopy(UniqueFd copy) {
  // kAny: nothing of it may change now, not even the mode of what cannot be read.
  UniqueFd same(::fcntl(copy.get(), F_DUPFD_CLOEXEC, 0));
  if (!same) {
    return SysError("duplicate a descriptor", errno);
  }
  CallLayer layer(LayerKind::kCopy, std::move(copy));
  NACRE_TRY(layer.Remember(TreeRoot(std::move(same))));
  return layer;
}

Status CallLayer::Remember(const TreeRoot& copy) {
  std::vector<std::string> waiting = {""};
  while (!waiting.empty()) {
    const std::string path = std::move(waiting.back());
    waiting.pop_back();
    Before before;
    before.entry = NACRE_TRY(copy.Look(path));
    EntryState& state = before.entry.state;
    if (!IsWithheld(state) && state.type == EntryType::kFile) {
      state.digest = NACRE_TRY(copy.Digest(path, state.size));
    }
    if (!IsWithheld(state) && state.type == EntryType::kDirectory) {
      before.names = NACRE_TRY(copy.Names(path, kFolderNamesMax));
      for (const std::string& name : before.names) {
        waiting.push_back(Joined(path, name));
      }
    }
    if (state.type == EntryType::kFile) {
      inodes_.insert(before.entry.identity.inode);
    }
    before_.emplace(path, std::move(before));
  }
  return Ok();
}

// The same walk as over an upper layer. There "it is in the layer" says that a path was changed; here
// it is that it is not as before. Contents are compared by digest: a file that is written through a
// mapping may keep its times.
class CallLayer::CopyReader {
 public:
  CopyReader(const CallLayer& layer, const TreeRoot& workspace, const DiffLimits& limits)
      : layer_(layer), workspace_(workspace), builder_(workspace, limits) {}

  Result<Diff> Read() {
    NACRE_TRY(Folder("", Below::kSame, 0));
    return builder_.Finish();
  }

 private:
  // What the folder is to the one of the workspace at the same path.
  enum class Below {
    kSame = 0,  // its copy: what is not here any more was deleted by the call
    kReplaced,  // another in its place: all that is not here is deleted
    kNothing,   // there was none
  };

  Status Folder(const std::string& path, Below below, int depth) {
    if (depth > kLayerDepthMax) {
      builder_.Refuse(path, "a tree deeper than " + std::to_string(kLayerDepthMax) + " folders");
      return Ok();
    }
    const std::vector<std::string> names = NACRE_TRY(layer_.tree_.Names(path, kFolderNamesMax));
    for (const std::string& name : names) {
      if (!builder_.open()) {
        return Ok();
      }
      NACRE_TRY(Entry(Joined(path, name), below, depth));
    }
    if (below == Below::kNothing) {
      return Ok();
    }
    std::vector<std::string> was;
    if (below == Below::kSame) {
      was = layer_.before_.at(path).names;
    } else {
      was = NACRE_TRY(workspace_.Names(path, kFolderNamesMax));
    }
    for (const std::string& name : was) {
      if (builder_.open() && !std::binary_search(names.begin(), names.end(), name)) {
        NACRE_TRY(builder_.AddDeleted(Joined(path, name)));
      }
    }
    return Ok();
  }

  Status Entry(const std::string& path, Below below, int depth) {
    if (!IsTreePath(path)) {
      builder_.Refuse(path, "a path that is too long");
      return Ok();
    }
    const TreeEntry found = NACRE_TRY(layer_.tree_.Look(path));
    const auto at = layer_.before_.find(path);
    const Before* before =
        below == Below::kSame && at != layer_.before_.end() ? &at->second : nullptr;
    const bool same_inode =
        before != nullptr && before->entry.identity.inode == found.identity.inode;
    if (same_inode && IsWithheld(before->entry.state)) {
      if (before->entry.identity != found.identity || before->entry.state != found.state) {
        builder_.Refuse(path, "changes what could not be copied for the call");
      }
      return Ok();
    }
    EntryState after = found.state;
    bool as_before = false;
    if (before != nullptr) {
      as_before = NACRE_TRY(IsAsBefore(path, before->entry.state, after));
    }
    if (!as_before) {
      if (!builder_.MayCommit(path, after)) {
        return Ok();
      }
      if (after.type == EntryType::kFile && after.digest.empty()) {
        after.digest = NACRE_TRY(layer_.tree_.Digest(path, after.size));
      }
      const bool copied =
          after.type == EntryType::kFile && layer_.inodes_.contains(found.identity.inode);
      NACRE_TRY(builder_.Add(path, after, copied));
    }
    if (after.type != EntryType::kDirectory) {
      return Ok();
    }
    Below inside = Below::kSame;
    if (!same_inode) {
      const TreeEntry replaced = NACRE_TRY(workspace_.Look(path));
      const bool is_folder = replaced.state.type == EntryType::kDirectory;
      inside = below != Below::kNothing && is_folder ? Below::kReplaced : Below::kNothing;
    }
    return Folder(path, inside, depth + 1);
  }

  // Gives `after` its digest where it needs one.
  Result<bool> IsAsBefore(const std::string& path, const EntryState& before, EntryState& after) {
    if (before.type != after.type || before.mode != after.mode || before.target != after.target ||
        before.size != after.size || before.mtime_ns != after.mtime_ns) {
      return false;
    }
    if (after.type == EntryType::kFile) {
      after.digest = NACRE_TRY(layer_.tree_.Digest(path, after.size));
    }
    return before.digest == after.digest;
  }

  const CallLayer& layer_;
  const TreeRoot& workspace_;
  DiffBuilder builder_;
};

Result<Diff> CallLayer::ReadDiff(const TreeRoot& workspace, const DiffLimits& limits) const {
  return kind_ == LayerKind::kOverlay ? ReadUpperDiff(tree_, workspace, limits)
                                      : CopyReader(*this, workspace, limits).Read();
}

bool CallLayer::IsUntouched(const TreeRoot& workspace) const {
  if (kind_ == LayerKind::kOverlay) {
    return sandbox::IsUntouched(tree_);
  }
  // The first change is one too many.
  const Result<Diff> diff = ReadDiff(workspace, {.changes = 0, .bytes = 0});
  return diff.ok() && diff.value().empty();
}

}  // namespace nacre::sandbox
