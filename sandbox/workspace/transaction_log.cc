#include "sandbox/workspace/transaction_log.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>

#include "base/file.h"

namespace nacre::sandbox {
namespace {

constexpr const char* kTemporary = ".tmp";
constexpr const char* kPending = ".pending";
constexpr const char* kDone = ".done";
constexpr const char* kUndone = ".undone";
constexpr const char* kConflict = ".conflict";
// An undo that is under way is the call's id and this: the call's own file stays until it is done.
constexpr const char* kUndoing = "-undo";
constexpr size_t kFilesMax = 1 << 20;
constexpr size_t kIdBytesMax = 64;
constexpr uint64_t kForgetAfterCommits = 100;
constexpr uint64_t kForgetAfterShare = 16;  // of the bytes that are kept

bool IsId(const std::string& id) {
  return !id.empty() && id.size() <= kIdBytesMax && std::all_of(id.begin(), id.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '-';
  });
}

void TellMisowned(const InStep& in_step, const std::vector<Conflict>& misowned) {
  if (in_step.misowned && !misowned.empty()) {
    in_step.misowned(misowned);
  }
}

Error BadId() {
  return {ErrorCode::kInvalidArgument, "a call's id has letters, digits and '-' only"};
}

}  // namespace

const char* TransactionStateName(TransactionState state) {
  static constexpr std::array<const char*, 4> kNames = {"pending", "done", "undone", "conflict"};
  return kNames[static_cast<size_t>(state)];
}

int64_t CallClock() {
  // The stamp of a file that is changed now. Since Linux 6.13 a change after a look at the last stamp
  // is stamped exactly, and no later change of any file gets an earlier one; before, stamps are those
  // of the clock's last tick. CLOCK_REALTIME would be ahead of them.
  const UniqueFd file(::memfd_create("nacre-clock", MFD_CLOEXEC));
  struct stat info = {};
  for (int round = 0; round < 3 && file.valid(); ++round) {
    if (::fchmod(file.get(), 0600) != 0 || ::fstat(file.get(), &info) != 0) {
      break;
    }
  }
  struct timespec now = info.st_ctim;
  if (now.tv_sec == 0) {
    ::clock_gettime(CLOCK_REALTIME_COARSE, &now);
  }
  return static_cast<int64_t>(now.tv_sec) * 1'000'000'000 + now.tv_nsec;
}

Result<std::vector<Conflict>> FindChangedSince(const Diff& diff, const TreeRoot& root,
                                               int64_t started_ns) {
  std::vector<Conflict> conflicts;
  const bool deletes =
      std::any_of(diff.changes.begin(), diff.changes.end(), [](const Change& change) {
        return change.before.type == EntryType::kFile && change.deleted();
      });
  for (const Change& change : diff.changes) {
    const TreeEntry now = NACRE_TRY(root.Look(change.path));
    // A folder that stays is changed by every name in it; what was done in it has changes of its own.
    const bool stays =
        change.before.type == EntryType::kDirectory && change.after.type == EntryType::kDirectory;
    if (now.identity.inode != change.replaced.inode ||
        (!stays && now.identity != change.replaced)) {
      conflicts.push_back({change.path, now.identity.inode == 0 ? "is gone" : "was changed"});
    } else if (!stays && now.identity.inode != 0 && now.identity.ctime_ns >= started_ns) {
      conflicts.push_back({change.path, "was changed while the call ran"});
    } else if (change.created() && change.copied_up && !deletes) {
      // Its content was the workspace's, and nothing of that name is there: somebody deleted it, if
      // the folder was changed at all.
      struct stat info = {};
      const Result<UniqueFd> parent = root.OpenParent(change.path);
      if (parent.ok() && ::fstat(parent.value().get(), &info) == 0 &&
          info.st_mtim.tv_sec * 1'000'000'000 + info.st_mtim.tv_nsec >= started_ns) {
        conflicts.push_back({change.path, "was deleted while the call ran"});
      }
    }
  }
  return conflicts;
}

Result<std::unique_ptr<TransactionLog>> TransactionLog::Open(const std::string& directory,
                                                             Options options) {
  NACRE_TRY(MakeDirectories(directory));
  UniqueFd folder(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!folder) {
    return SysError("open " + directory, errno);
  }
  return std::unique_ptr<TransactionLog>(
      new TransactionLog(directory, std::move(folder), std::move(options)));
}

std::string TransactionLog::PathOf(const std::string& id, const char* suffix) const {
  return directory_ + "/" + id + suffix;
}

// flock(2) belongs to the open file: threads of one process wait for each other as processes do.
Result<UniqueFd> TransactionLog::TakeLock() const {
  UniqueFd lock(::openat(folder_.get(), "lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!lock) {
    return SysError("open " + directory_ + "/lock", errno);
  }
  while (::flock(lock.get(), LOCK_EX) != 0) {
    if (errno != EINTR) {
      return SysError("lock " + directory_ + "/lock", errno);
    }
  }
  return lock;
}

Status TransactionLog::SyncFolder(const char* step) const {
  NACRE_TRY(Hook(step));
  if (::fsync(folder_.get()) != 0) {
    return SysError("fsync " + directory_, errno);
  }
  return Ok();
}

Status TransactionLog::Rename(const std::string& id, const char* from, const char* to,
                              const char* step) const {
  NACRE_TRY(Hook(step));
  if (::renameat(folder_.get(), (id + from).c_str(), folder_.get(), (id + to).c_str()) != 0) {
    return SysError("rename " + PathOf(id, from), errno);
  }
  return SyncFolder("fsync log");
}

Result<std::vector<Conflict>> TransactionLog::Commit(const CommitRequest& request) {
  if (!IsId(request.id)) {
    return BadId();
  }
  NACRE_CHECK(request.diff.refusals.empty() && !request.diff.changes.empty());
  const UniqueFd lock = NACRE_TRY(TakeLock());
  std::vector<Conflict> conflicts =
      NACRE_TRY(FindChangedSince(request.diff, request.root, request.started_ns));
  if (!conflicts.empty()) {
    return conflicts;
  }
  JournalHeader header;
  header.id = request.id;
  header.workspace = request.workspace;
  header.created_ms = request.now_ms;
  header.note = request.in_step.before ? NACRE_TRY(request.in_step.before()) : request.note;
  for (const Change& change : request.diff.changes) {
    header.changes.push_back({change, {}, {}});
  }
  NACRE_TRY(Hook("create journal"));
  const UniqueFd file(::openat(folder_.get(), (request.id + kTemporary).c_str(),
                               O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!file) {
    return SysError("create " + PathOf(request.id, kTemporary), errno);
  }
  const Status written =
      WriteJournal(file, std::move(header), request.root, request.after, options_.hook);
  if (!written.ok()) {
    ::unlinkat(folder_.get(), (request.id + kTemporary).c_str(), 0);
    if (written.error().code == ErrorCode::kAborted) {
      return std::vector<Conflict>{{"", written.error().message}};
    }
    return written.error();
  }
  NACRE_TRY(Rename(request.id, kTemporary, kPending, "commit"));
  std::vector<Conflict> misowned;
  conflicts = NACRE_TRY(Settle(request.id, request.root, misowned));
  TellMisowned(request.in_step, misowned);
  if (conflicts.empty() && request.in_step.after) {
    NACRE_TRY(request.in_step.after());
  }
  ForgetAfterCommit(request.id, request.now_ms);
  return conflicts;
}

// Looking at all that is kept is not for every commit. What fails is tried again: the commit is done.
void TransactionLog::ForgetAfterCommit(const std::string& id, int64_t now_ms) {
  for (const char* suffix : {kDone, kConflict}) {
    struct stat info = {};
    if (::fstatat(folder_.get(), (id + suffix).c_str(), &info, AT_SYMLINK_NOFOLLOW) == 0) {
      bytes_since_ += static_cast<uint64_t>(info.st_size);
    }
  }
  ++commits_since_;
  if (commits_since_ < kForgetAfterCommits &&
      bytes_since_ < options_.bytes_max / kForgetAfterShare) {
    return;
  }
  if (Forget(now_ms, id).ok()) {
    commits_since_ = 0;
    bytes_since_ = 0;
  }
}

Result<std::vector<Conflict>> TransactionLog::Settle(const std::string& id, const TreeRoot& root,
                                                     std::vector<Conflict>& misowned) const {
  const Journal journal = NACRE_TRY(Journal::Open(PathOf(id, kPending)));
  const bool undo = journal.header().kind == JournalKind::kUndo;
  ApplyOptions options{.hook = options_.hook, .misowned = &misowned};
  Result<std::vector<Conflict>> applied = ApplyJournal(journal, root, options);
  if (applied.ok() && applied.value().empty()) {
    NACRE_TRY(undo ? FinishUndo(journal.header().id) : Rename(id, kPending, kDone, "done"));
    return std::vector<Conflict>();
  }
  misowned.clear();  // it goes
  options.direction = Direction::kBack;
  options.on_conflict = OnConflict::kLeave;
  const Result<std::vector<Conflict>> back = ApplyJournal(journal, root, options);
  if (!back.ok()) {
    return WithContext(
        "take back what was begun of " + id + " (it is finished when nacre next starts)",
        back.error());
  }
  if (undo) {
    NACRE_TRY(Hook("drop undo"));
    ::unlinkat(folder_.get(), (id + kPending).c_str(), 0);
  } else {
    NACRE_TRY(Rename(id, kPending, kConflict, "conflict"));
  }
  return applied;
}

Status TransactionLog::FinishUndo(const std::string& id) const {
  NACRE_TRY(Hook("undone"));
  if (::renameat(folder_.get(), (id + kDone).c_str(), folder_.get(), (id + kUndone).c_str()) != 0 &&
      errno != ENOENT) {
    return SysError("rename " + PathOf(id, kDone), errno);
  }
  NACRE_TRY(SyncFolder("fsync log"));
  NACRE_TRY(Hook("drop undo"));
  ::unlinkat(folder_.get(), (id + kUndoing + kPending).c_str(), 0);
  return Ok();
}

Result<std::vector<Conflict>> TransactionLog::Undo(const std::string& id, int64_t now_ms,
                                                   const InStep& in_step) {
  if (!IsId(id)) {
    return BadId();
  }
  const UniqueFd lock = NACRE_TRY(TakeLock());
  NACRE_TRY(RecoverLocked());
  std::optional<StoredTransaction> stored = NACRE_TRY(Find(id));
  if (!stored.has_value()) {
    return Error{ErrorCode::kNotFound, "call " + id + " changed nothing that is still kept"};
  }
  if (stored->state != TransactionState::kDone) {
    return Error{ErrorCode::kFailedPrecondition,
                 stored->state == TransactionState::kUndone
                     ? "call " + id + " was undone already"
                     : "the changes of call " + id + " are not in the workspace"};
  }
  const Journal& journal = stored->journal;
  Result<TreeRoot> root = TreeRoot::Open(journal.header().workspace);
  if (!root.ok()) {
    return WithContext("the workspace of call " + id, root.error());
  }
  std::vector<Conflict> conflicts =
      NACRE_TRY(FindConflicts(journal, root.value(), Direction::kBack));
  if (!conflicts.empty()) {
    return conflicts;
  }
  if (in_step.before) {
    NACRE_TRY(in_step.before());
  }
  const std::string undo_id = id + kUndoing;
  NACRE_TRY(Hook("create journal"));
  const UniqueFd file(::openat(folder_.get(), (undo_id + kTemporary).c_str(),
                               O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!file) {
    return SysError("create " + PathOf(undo_id, kTemporary), errno);
  }
  const Status written = WriteInverse(file, journal, now_ms, options_.hook);
  if (!written.ok()) {
    ::unlinkat(folder_.get(), (undo_id + kTemporary).c_str(), 0);
    return written.error();
  }
  NACRE_TRY(Rename(undo_id, kTemporary, kPending, "commit"));
  std::vector<Conflict> misowned;
  conflicts = NACRE_TRY(Settle(undo_id, root.value(), misowned));
  TellMisowned(in_step, misowned);
  if (conflicts.empty() && in_step.after) {
    NACRE_TRY(in_step.after());
  }
  return conflicts;
}

Result<std::optional<StoredTransaction>> TransactionLog::Find(const std::string& id) {
  if (!IsId(id)) {
    return BadId();
  }
  static constexpr std::array<std::pair<const char*, TransactionState>, 4> kStates = {
      {{kDone, TransactionState::kDone},
       {kUndone, TransactionState::kUndone},
       {kConflict, TransactionState::kConflict},
       {kPending, TransactionState::kPending}}};
  for (const auto& [suffix, state] : kStates) {
    if (::faccessat(folder_.get(), (id + suffix).c_str(), F_OK, AT_SYMLINK_NOFOLLOW) == 0) {
      Journal journal = NACRE_TRY(Journal::Open(PathOf(id, suffix)));
      return std::optional<StoredTransaction>(StoredTransaction{id, state, std::move(journal)});
    }
  }
  return std::optional<StoredTransaction>();
}

Result<std::vector<std::string>> TransactionLog::List() {
  std::vector<std::string> ids;
  const TreeRoot folder = NACRE_TRY(TreeRoot::Open(directory_));
  for (const std::string& name : NACRE_TRY(folder.Names("", kFilesMax))) {
    for (const char* suffix : {kDone, kUndone, kConflict}) {
      if (name.ends_with(suffix)) {
        ids.push_back(name.substr(0, name.size() - std::string(suffix).size()));
      }
    }
  }
  std::sort(ids.rbegin(), ids.rend());
  return ids;
}

Result<std::vector<Recovered>> TransactionLog::Recover(int64_t now_ms) {
  const UniqueFd lock = NACRE_TRY(TakeLock());
  std::vector<Recovered> recovered = NACRE_TRY(RecoverLocked());
  NACRE_TRY(Forget(now_ms, std::string()));
  commits_since_ = 0;
  bytes_since_ = 0;
  return recovered;
}

// Whoever holds the lock is alone: what is half-way is of a process that died.
Result<std::vector<Recovered>> TransactionLog::RecoverLocked() const {
  std::vector<Recovered> found;
  const TreeRoot folder = NACRE_TRY(TreeRoot::Open(directory_));
  for (const std::string& name : NACRE_TRY(folder.Names("", kFilesMax))) {
    if (name.ends_with(kTemporary)) {
      ::unlinkat(folder_.get(), name.c_str(), 0);
      continue;
    }
    if (!name.ends_with(kPending)) {
      continue;
    }
    Recovered each;
    each.id = name.substr(0, name.size() - std::string(kPending).size());
    const Result<Journal> journal = Journal::Open(directory_ + "/" + name);
    if (!journal.ok()) {
      each.problem = journal.error().message;
      found.push_back(std::move(each));
      continue;
    }
    each.workspace = journal.value().header().workspace;
    if (options_.before_recovery) {
      if (const Status kept = options_.before_recovery(journal.value().header()); !kept.ok()) {
        each.problem = kept.error().message;
        found.push_back(std::move(each));
        continue;
      }
    }
    const Result<TreeRoot> root = TreeRoot::Open(each.workspace);
    const Result<std::vector<Conflict>> settled = root.ok()
                                                      ? Settle(each.id, root.value(), each.misowned)
                                                      : Result<std::vector<Conflict>>(root.error());
    if (!settled.ok()) {
      each.problem = settled.error().message;
    } else {
      each.conflicts = settled.value();
      each.end = each.conflicts.empty() ? Recovered::End::kCommitted : Recovered::End::kTakenBack;
    }
    found.push_back(std::move(each));
  }
  return found;
}

Result<bool> TransactionLog::Erase(const std::string& id) {
  if (!IsId(id)) {
    return BadId();
  }
  const UniqueFd lock = NACRE_TRY(TakeLock());
  bool found = false;
  for (const std::string& name : {id + kPending, id + kUndoing + kPending}) {
    if (::faccessat(folder_.get(), name.c_str(), F_OK, AT_SYMLINK_NOFOLLOW) == 0) {
      return Error{ErrorCode::kFailedPrecondition,
                   "call " + id + " is not settled yet; nacre call show " + id + " says more"};
    }
  }
  for (const char* suffix : {kTemporary, kDone, kUndone, kConflict}) {
    for (const std::string& name : {id + suffix, id + kUndoing + suffix}) {
      const UniqueFd file(::openat(folder_.get(), name.c_str(), O_WRONLY | O_CLOEXEC | O_NOFOLLOW));
      struct stat info = {};
      if (!file && errno == ENOENT) {
        continue;
      }
      if (!file || ::fstat(file.get(), &info) != 0) {
        return SysError("open " + directory_ + "/" + name, errno);
      }
      const std::string zeros(64U << 10, '\0');
      for (auto left = static_cast<uint64_t>(info.st_size); left > 0;) {
        const size_t part = std::min<uint64_t>(left, zeros.size());
        NACRE_TRY(WriteAll(file.get(), std::string_view(zeros).substr(0, part)));
        left -= part;
      }
      if (::fdatasync(file.get()) != 0 || ::unlinkat(folder_.get(), name.c_str(), 0) != 0) {
        return SysError("erase " + directory_ + "/" + name, errno);
      }
      found = true;
    }
  }
  if (found) {
    NACRE_TRY(SyncFolder("erase.sync"));
  }
  return found;
}

// The oldest first, and never what is pending.
Status TransactionLog::Forget(int64_t now_ms, const std::string& newest) const {
  struct Kept {
    int64_t modified_ms;
    uint64_t bytes;
    std::string name;
  };
  std::vector<Kept> kept;
  uint64_t total = 0;
  uint64_t count = 0;
  const TreeRoot folder = NACRE_TRY(TreeRoot::Open(directory_));
  for (const std::string& name : NACRE_TRY(folder.Names("", kFilesMax))) {
    if (!name.ends_with(kDone) && !name.ends_with(kUndone) && !name.ends_with(kConflict)) {
      continue;
    }
    const TreeEntry entry = NACRE_TRY(folder.Look(name));
    if (!newest.empty() && name.starts_with(newest) && name[newest.size()] == '.') {
      total += entry.state.size;
      ++count;
      continue;
    }
    kept.push_back({entry.state.mtime_ns / 1'000'000, entry.state.size, name});
    total += entry.state.size;
    ++count;
  }
  std::sort(kept.begin(), kept.end(),
            [](const Kept& a, const Kept& b) { return a.modified_ms < b.modified_ms; });
  for (const Kept& each : kept) {
    if (total <= options_.bytes_max && count <= options_.transactions_max &&
        each.modified_ms >= now_ms - options_.age_ms_max) {
      break;
    }
    ::unlinkat(folder_.get(), each.name.c_str(), 0);
    total -= each.bytes;
    --count;
  }
  return Ok();
}

}  // namespace nacre::sandbox
