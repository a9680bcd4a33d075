// TransactionLog: commits what calls did to their workspaces, keeps it for later, takes it back.
//
// One folder of nacre's state directory, one file per transaction (see journal.h), named by the call:
//   ID.tmp       being written: the workspace is as it was
//   ID.pending   decided: the workspace is being changed, or was when we were killed
//   ID.done      in the workspace, and can be undone
//   ID.undone    was taken back; kept so that nothing is lost
//   ID.conflict  somebody changed the same files in between; taken back, or never applied
// The rename of ID.tmp to ID.pending is the commit. All of it happens under one lock per state
// directory, which the kernel frees when its holder dies; whoever takes it next finishes first what
// was left pending. So after kill -9 at any instant the workspace is as before, or becomes fully as
// after when nacre next starts.
//
// Parallel calls: a call sees the workspace as it is while it runs, and may replace only what nobody
// changed since it began. That is told by the change time that the kernel keeps per inode. (Before
// Linux 6.13 a file that was changed in the last tick of the clock before the call began counts as
// changed: some milliseconds.)
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "sandbox/workspace/apply.h"
#include "sandbox/workspace/change.h"
#include "sandbox/workspace/journal.h"
#include "sandbox/workspace/tree_root.h"

namespace nacre::sandbox {

enum class TransactionState { kPending = 0, kDone, kUndone, kConflict };
const char* TransactionStateName(TransactionState state);  // "pending", "done", ...

struct StoredTransaction {
  std::string id;
  TransactionState state = TransactionState::kPending;
  Journal journal;
};

// What is kept of files elsewhere, and changes with them: done while nobody else commits or takes back. Empty
// functions do nothing.
struct InStep {
  // Nothing stands in the way of the change, and nothing of it is on disk. An Error leaves it so. What it answers is
  // noted, of a commit.
  std::function<Result<std::string>()> before;
  std::function<Status()> after;  // the workspace is changed, durably
  // What is in place, but could not be given to its owner: not called when there is none.
  std::function<void(const std::vector<Conflict>&)> misowned = {};
};

struct CommitRequest {
  std::string id;          // letters and digits: the call's
  std::string workspace;   // host path, for later
  const TreeRoot& root;    // of the workspace
  const TreeRoot& after;   // where the new contents lie: the upper layer
  const Diff& diff;        // without refusals, not empty
  int64_t started_ns = 0;  // CallClock() when the call began
  int64_t now_ms = 0;
  std::string note;
  InStep in_step = {};  // with a `before`, its answer is the note
};

// Found at start: a transaction that a crash had left in the middle.
struct Recovered {
  enum class End { kCommitted = 0, kTakenBack, kWaiting };
  std::string id;
  std::string workspace;
  End end = End::kWaiting;
  std::vector<Conflict> conflicts;  // of kTakenBack
  std::vector<Conflict> misowned;   // as InStep has it
  std::string problem;              // of kWaiting: why it could not be finished
};

// The clock that the kernel stamps changes with, in nanoseconds: to be read before a call begins.
int64_t CallClock();

// Thread-safe; several processes may share one.
class TransactionLog final {
 public:
  struct Options {
    // Of all that is kept. The oldest go first, when nacre starts and after commits: after each one
    // that takes a sixteenth of the bytes, and after every hundredth, so that what is kept for a while
    // beyond these bounds is bounded too.
    uint64_t bytes_max = 1ULL << 30;
    uint64_t transactions_max = 10'000;
    int64_t age_ms_max = int64_t{30} * 24 * 3600 * 1000;  // 30 days
    StepHook hook;
    // Before what a crash left is finished: what InStep keeps may have changed since. An Error leaves it waiting.
    std::function<Status(const JournalHeader&)> before_recovery;
  };

  // Makes the folder. Recover() comes next.
  static Result<std::unique_ptr<TransactionLog>> Open(const std::string& directory,
                                                      Options options);
  static Result<std::unique_ptr<TransactionLog>> Open(const std::string& directory) {
    return Open(directory, Options());
  }

  // Finishes what a crash left, and forgets what is too old, given the time.
  Result<std::vector<Recovered>> Recover(int64_t now_ms);

  // Empty: committed, durably. Otherwise what stood in the way, and nothing was changed. An Error when
  // it could not be done: nothing was changed either, or the next Recover() will settle it.
  Result<std::vector<Conflict>> Commit(const CommitRequest& request);

  // kFailedPrecondition when there is nothing to take back or it was taken back already. Conflicts as
  // with Commit().
  Result<std::vector<Conflict>> Undo(const std::string& id, int64_t now_ms,
                                     const InStep& in_step = InStep());

  // What is kept of a call is overwritten and gone, durably; false when there was nothing. The workspace stays as it is,
  // and the call can no more be taken back. kFailedPrecondition while it is pending.
  Result<bool> Erase(const std::string& id);

  // The transaction of a call; nullopt when it changed nothing, or too long ago.
  Result<std::optional<StoredTransaction>> Find(const std::string& id);
  // Ids, newest first.
  Result<std::vector<std::string>> List();

 private:
  class Lock;

  TransactionLog(std::string directory, UniqueFd folder, Options options)
      : directory_(std::move(directory)),
        folder_(std::move(folder)),
        options_(std::move(options)) {}

  Result<UniqueFd> TakeLock() const;
  std::string PathOf(const std::string& id, const char* suffix) const;
  Status Rename(const std::string& id, const char* from, const char* to, const char* step) const;
  Status Hook(const char* step) const { return options_.hook ? options_.hook(step) : Ok(); }
  Status SyncFolder(const char* step) const;
  // With the lock held: from ID.pending to ID.done, or to a conflict. Adds to `misowned`.
  Result<std::vector<Conflict>> Settle(const std::string& id, const TreeRoot& root,
                                       std::vector<Conflict>& misowned) const;
  Status FinishUndo(const std::string& id) const;
  Result<std::vector<Recovered>> RecoverLocked() const;
  // All but `newest`.
  Status Forget(int64_t now_ms, const std::string& newest) const;
  void ForgetAfterCommit(const std::string& id, int64_t now_ms);

  std::string directory_;
  UniqueFd folder_;
  Options options_;
  // Since what is too old was last forgotten.
  std::atomic<uint64_t> commits_since_{0};
  std::atomic<uint64_t> bytes_since_{0};
};

// Changes of the diff that replace what somebody changed since `started_ns`.
Result<std::vector<Conflict>> FindChangedSince(const Diff& diff, const TreeRoot& root,
                                               int64_t started_ns);

}  // namespace nacre::sandbox
