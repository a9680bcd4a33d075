// What a call did to a transactional workspace: its upper layer, read as a Diff against the workspace.
//
// The layer is as hostile as the tool that filled it, and as large as the call's disk limit let it
// become. It stands still: nothing of the call runs any more. What the overlay file system itself
// writes there is read as that: a character device 0/0 where a path was deleted, the attribute
// user.overlay.opaque on a folder that replaces another. A device, FIFO, socket, setuid or setgid
// program, an attribute that nacre's overlays never have, a tree deeper than 128, or more than the
// limits: each is a Refusal with its path, and a diff with refusals is not committed.
//
// Source: Documentation/filesystems/overlayfs.rst, "whiteouts and opaque directories".
#pragma once

#include <optional>

#include "base/result.h"
#include "sandbox/workspace/change.h"
#include "sandbox/workspace/ownership.h"
#include "sandbox/workspace/tree_root.h"

namespace nacre::sandbox {

// An Error when the workspace cannot be read. `upper` is Ownership::kOwn.
Result<Diff> ReadUpperDiff(const TreeRoot& upper, const TreeRoot& workspace,
                           const DiffLimits& limits);

// Whether the call wrote anything at all: one getdents64(2), so a call that did not costs no more.
bool IsUntouched(const TreeRoot& upper);

// Of what a call leaves, in an upper layer as in a copy.
inline constexpr int kLayerDepthMax = 128;
inline constexpr size_t kFolderNamesMax = 1
                                          << 20;  // a call that makes more in one folder is refused

// Collects changes under the limits: shared by the two ways of making a diff.
class DiffBuilder final {
 public:
  DiffBuilder(const TreeRoot& workspace, const DiffLimits& limits)
      : workspace_(workspace), limits_(limits) {}

  // False once the limits are reached: the caller stops.
  bool open() const { return !full_; }
  void Refuse(const std::string& path, const std::string& reason);
  // `after` complete, with digest. Adds nothing when it says what is there already.
  Status Add(const std::string& path, const EntryState& after, bool copied_up = false);
  // What is there now, and everything below it, is gone.
  Status AddDeleted(const std::string& path);
  // Checks type, mode and size of what a call left at a path, before it is read.
  bool MayCommit(const std::string& path, const EntryState& after);

  Diff Finish();

 private:
  Status Record(const std::string& path, const TreeEntry& before, const EntryState& after,
                bool copied_up);
  Result<bool> ChooseOwner(Change& change) const;
  Result<std::optional<gid_t>> InheritedGroup(const std::string& path) const;

  const TreeRoot& workspace_;
  const DiffLimits& limits_;
  const GivableOwners givable_ = GivableOwners::OfThisProcess();
  Diff diff_;
  uint64_t bytes_ = 0;
  bool full_ = false;
};

}  // namespace nacre::sandbox
