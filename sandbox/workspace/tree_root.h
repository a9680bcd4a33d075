// TreeRoot: a folder, and what lies beneath it, reached so that nothing can lead out of it.
//
// Every path is resolved by openat2(2) from the folder's descriptor with RESOLVE_BENEATH,
// RESOLVE_NO_SYMLINKS, RESOLVE_NO_MAGICLINKS and RESOLVE_NO_XDEV; the last component is then worked on
// by name in its parent's descriptor and never followed. So neither a link that a call planted nor a
// folder that somebody swaps for a link while we work changes which files are touched: an operation
// happens in the tree, or fails.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "base/unique_fd.h"
#include "sandbox/workspace/change.h"

namespace nacre::sandbox {

struct TreeEntry {
  EntryState state;  // without the digest of a file
  EntryIdentity identity;
};

// Thread-safe: all calls are const and the kernel's.
class TreeRoot final {
 public:
  // kAny: what one may not read is an error. kOwn: the tree is private to us and still (a call's upper
  // layer), and what its owner made unreadable is made readable.
  enum class Ownership { kAny = 0, kOwn };

  static Result<TreeRoot> Open(const std::string& path);
  explicit TreeRoot(UniqueFd folder, Ownership ownership = Ownership::kAny)
      : folder_(std::move(folder)), ownership_(ownership) {}

  int fd() const { return folder_.get(); }

  // What is at `path` ("" is the root). Type kNone when nothing is there, also when a component
  // above is missing or no folder. kPermissionDenied and others as the kernel says.
  Result<TreeEntry> Look(const std::string& path) const;
  // Of the folder at `path`, sorted. kResourceExhausted beyond `names_max`.
  Result<std::vector<std::string>> Names(const std::string& path, size_t names_max) const;
  // For reading. kFailedPrecondition when it is no regular file.
  Result<UniqueFd> OpenFile(const std::string& path) const;
  // An O_RDONLY descriptor of the folder at `path`.
  Result<UniqueFd> OpenFolder(const std::string& path) const;
  // An O_PATH descriptor of the folder that `path` is in.
  Result<UniqueFd> OpenParent(const std::string& path) const;
  // "sha256:..." of the file at `path`; kFailedPrecondition if it has not `size` bytes.
  Result<std::string> Digest(const std::string& path, uint64_t size) const;
  // Look() with the digest.
  Result<TreeEntry> Read(const std::string& path) const;

 private:
  UniqueFd folder_;
  Ownership ownership_;
};

// The last component of a path, and what is before it ("" for the root).
std::string LeafOf(const std::string& path);
std::string ParentOf(const std::string& path);

// A path that a Change may have: relative, normalised, without NUL, at most 4,095 bytes, components at
// most 255.
bool IsTreePath(const std::string& path);

}  // namespace nacre::sandbox
