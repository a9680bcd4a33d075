// ApplyJournal: brings the workspace from what a journal calls "before" to "after", or back.
//
// It can be run again after a crash at any instant, and comes to the same end: each path is looked at,
// and what is done already is left. A path that is neither as before nor as after was changed by
// somebody else: then nothing more is done, and the caller takes back what was (or, where that was the
// point, leaves it). A file is replaced by rename(2) of a complete, durable copy beside it; its
// extended attributes and ACLs stay. A new version that could not be given to its file's owner is an Error; what
// is new stays, and is named in `misowned`. Deletions go from the leaves up, creations from the root down.
//
// What is not atomic is the whole: while it works, a reader of the workspace can see some changes and
// not others. After it, all.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "sandbox/workspace/journal.h"
#include "sandbox/workspace/tree_root.h"

namespace nacre::sandbox {

enum class Direction { kForward = 0, kBack };
// What to do with a path that somebody else has changed.
enum class OnConflict { kStop = 0, kLeave };

struct Conflict {
  std::string path;
  std::string reason;

  friend bool operator==(const Conflict&, const Conflict&) = default;
};

struct ApplyOptions {
  Direction direction = Direction::kForward;
  OnConflict on_conflict = OnConflict::kStop;
  StepHook hook;
  // Gets, where there is one, what is in place but could not be given to its owner, and whose it is now.
  std::vector<Conflict>* misowned = nullptr;
};

// The conflicts that it met; with kStop and any, it may have done part of the work. An Error when the
// file system refuses: likewise.
Result<std::vector<Conflict>> ApplyJournal(const Journal& journal, const TreeRoot& workspace,
                                           const ApplyOptions& options);

// Which paths stand in the way, without changing anything.
Result<std::vector<Conflict>> FindConflicts(const Journal& journal, const TreeRoot& workspace,
                                            Direction direction);

}  // namespace nacre::sandbox
