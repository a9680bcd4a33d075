// CallLayer: what a call sees of its transactional workspace, and changes in its place.
//
//   CallLayer layer = ...;                                   // from CallIo::OnCallLayer
//   Diff diff = NACRE_TRY(layer.ReadDiff(workspace, limits));  // when Run() has returned
//
// Of one of two kinds, which give the same diffs:
//   kOverlay  the upper layer of an overlay: it holds what the call changed, and nothing else
//   kCopy     a copy of the workspace, for hosts and file systems that give no overlay. What the call
//             changed is told by comparing it with what the copy held before the call's first byte;
//             what others change in the workspace meanwhile is no change of the call.
//
// It is gone when the object dies. Thread-compatible.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/unique_fd.h"
#include "sandbox/layer_kind.h"
#include "sandbox/workspace/change.h"
#include "sandbox/workspace/tree_root.h"

namespace nacre::sandbox {

class CallLayer final {
 public:
  // `upper`: the folder of the overlay.
  static CallLayer OfOverlay(UniqueFd upper);
  // `copy`: the folder, while nobody changes it. Reads all of it.
  static Result<CallLayer> OfCopy(UniqueFd copy);

  LayerKind kind() const { return kind_; }
  // Where the new contents lie.
  const TreeRoot& tree() const { return tree_; }

  // When nothing of the call runs any more. The layer is as hostile as the tool that filled it. An
  // Error when the workspace cannot be read.
  Result<Diff> ReadDiff(const TreeRoot& workspace, const DiffLimits& limits) const;
  // Whether the call wrote anything at all. An overlay answers with one getdents64(2).
  bool IsUntouched(const TreeRoot& workspace) const;

 private:
  // What stood at a path before the call.
  struct Before {
    TreeEntry entry;                 // with the digest of a file
    std::vector<std::string> names;  // of a folder, sorted
  };

  CallLayer(LayerKind kind, UniqueFd folder)
      : kind_(kind), tree_(std::move(folder), TreeRoot::Ownership::kOwn) {}

  Status Remember(const TreeRoot& copy);
  class CopyReader;

  LayerKind kind_;
  TreeRoot tree_;
  std::map<std::string, Before> before_;  // kCopy; "" is the root
  std::set<uint64_t> inodes_;             // kCopy: of the files
};

}  // namespace nacre::sandbox
