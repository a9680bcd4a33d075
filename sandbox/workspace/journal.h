// Journal: one transaction on a workspace in one file: every change, and the content of each file
// before and after it.
//
// It is written whole and made durable before the first byte of the workspace changes. So a crash
// finds either no journal, and the workspace as it was, or all that is needed to finish, or to take
// back, what was begun. Later `nacre call diff` and `nacre call undo` read the same file.
//
// Layout: contents, one after the other; a header in JSON; a footer of 48 bytes: the header's length
// (8, little endian), its SHA-256 (32), "NACRETX1" (8).
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "base/unique_fd.h"
#include "sandbox/workspace/change.h"
#include "sandbox/workspace/tree_root.h"

namespace nacre::sandbox {

// Where the content of a file lies in the journal.
struct Extent {
  uint64_t offset = 0;
  uint64_t size = 0;

  friend bool operator==(const Extent&, const Extent&) = default;
};

struct JournalChange {
  Change change;
  Extent before;
  Extent after;
};

enum class JournalKind { kCall = 0, kUndo };

struct JournalHeader {
  std::string id;         // of the call
  std::string workspace;  // host path
  int64_t created_ms = 0;
  JournalKind kind = JournalKind::kCall;
  std::string note;  // the caller's: what is needed to finish the call's record after a crash
  std::vector<JournalChange> changes;
};

// For tests: called before each step that changes something on disk. It may end the process, or
// answer an error, which the step then has.
using StepHook = std::function<Status(std::string_view step)>;

// An open journal. Thread-compatible.
class Journal final {
 public:
  // kDataLoss when it is torn or was changed.
  static Result<Journal> Open(const std::string& path);

  const JournalHeader& header() const { return header_; }
  const UniqueFd& file() const { return file_; }
  // kResourceExhausted when it is larger than `bytes_max`.
  Result<std::string> Content(const Extent& extent, uint64_t bytes_max) const;

 private:
  Journal(UniqueFd file, JournalHeader header)
      : file_(std::move(file)), header_(std::move(header)) {}

  UniqueFd file_;
  JournalHeader header_;
};

// Writes a journal to `file`, new and empty, and makes it durable. Contents come from the two trees,
// and each must have the digest that its state says. kAborted when one has not: it changed meanwhile.
Status WriteJournal(const UniqueFd& file, JournalHeader header, const TreeRoot& before,
                    const TreeRoot& after, const StepHook& hook);
// The journal that takes `journal` back, with the same contents the other way round.
Status WriteInverse(const UniqueFd& file, const Journal& journal, int64_t now_ms,
                    const StepHook& hook);

// Copies `extent` of `from` to the current position of `to`, and answers the digest of what it copied.
Result<std::string> CopyExtent(const UniqueFd& from, const Extent& extent, const UniqueFd& to);

// The header of hostile bytes: paths, types and extents checked, all contents within `contents_bytes`.
Result<JournalHeader> ParseJournalHeader(std::string_view text, uint64_t contents_bytes);

}  // namespace nacre::sandbox
