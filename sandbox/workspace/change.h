// Change: what one call did to one path of the workspace, as a value; a Diff is all of them.
//
// A path is bytes, relative to the workspace, without ".", ".." or a leading "/". Where it is written
// down (JSON, the journal) it is encoded: see EncodePath.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"

namespace nacre::sandbox {

// kOther: a device, FIFO or socket. It is never committed.
enum class EntryType { kNone = 0, kFile, kDirectory, kSymlink, kOther };
const char* EntryTypeName(EntryType type);  // "none", "file", "directory", "symlink", "other"

// What is, or was, at a path.
struct EntryState {
  EntryType type = EntryType::kNone;
  uint32_t mode = 0;     // permission bits; 0 for a symlink
  uint64_t size = 0;     // of a file, in bytes
  std::string digest;    // of a file: "sha256:..."
  std::string target;    // of a symlink
  int64_t mtime_ns = 0;  // of a file, since 1970
  uint32_t uid = 0;      // kept so that undo gives back the owner, where we may
  uint32_t gid = 0;

  friend bool operator==(const EntryState&, const EntryState&) = default;
};
// Whether a reader sees the same: type, mode, content. Not time and owner.
bool SameContent(const EntryState& a, const EntryState& b);

// Which inode was looked at, and when it was last changed: tells later whether it still is that.
struct EntryIdentity {
  uint64_t device = 0;
  uint64_t inode = 0;  // 0: there was nothing
  int64_t ctime_ns = 0;

  friend bool operator==(const EntryIdentity&, const EntryIdentity&) = default;
};

struct Change {
  std::string path;
  EntryState before;
  EntryState after;
  // These two are not part of what is written down.
  EntryIdentity replaced;  // of `before`
  // The overlay copied it from a file of the workspace first, here or (renamed) elsewhere.
  bool copied_up = false;

  bool created() const { return before.type == EntryType::kNone; }
  bool deleted() const { return after.type == EntryType::kNone; }
  // Only its time: it was written again with the same content, or touched.
  bool touched() const { return SameContent(before, after); }
};

// Something that is not committed, whatever the policy says: "a FIFO", "a setuid program".
struct Refusal {
  std::string path;
  std::string reason;

  friend bool operator==(const Refusal&, const Refusal&) = default;
};

struct Diff {
  std::vector<Change> changes;    // by path: a folder stands before what is in it
  std::vector<Refusal> refusals;  // the first few

  bool empty() const { return changes.empty() && refusals.empty(); }
};

// What a diff may amount to. More is a Refusal.
struct DiffLimits {
  uint64_t changes = 10'000;
  uint64_t bytes = 256ULL << 20;  // of files, new content and replaced content together

  friend bool operator==(const DiffLimits&, const DiffLimits&) = default;
};

struct DiffCounts {
  uint64_t created = 0;
  uint64_t changed = 0;
  uint64_t deleted = 0;
};
DiffCounts CountChanges(const std::vector<Change>& changes);  // touched ones are none of them

// "sha256:..." over paths, states before and after: the same for the same effect on the same files.
std::string DiffDigest(const std::vector<Change>& changes);

// Printable UTF-8 stays; a control character, '%' or a byte that is no valid UTF-8 becomes %XX.
std::string EncodePath(std::string_view path);
Result<std::string> DecodePath(std::string_view text);

OrderedJson EntryToJson(const EntryState& state);
Result<EntryState> EntryFromJson(const Json& json);

}  // namespace nacre::sandbox
