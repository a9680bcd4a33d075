// The transaction log without a sandbox: an upper layer made by hand, and every instant at which a
// crash or an error can come.
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>

#include "base/file.h"
#include "base/temp_dir.h"
#include "sandbox/workspace/transaction_log.h"
#include "sandbox/workspace/upper_diff.h"
#include "tests/support/skip.h"
#include "tests/support/tree_snapshot.h"

namespace nacre::sandbox {
namespace {

namespace fs = std::filesystem;

void Put(const std::string& path, const std::string& content) {
  fs::create_directories(fs::path(path).parent_path());
  std::ofstream(path) << content;
}

void Whiteout(const std::string& path) {
  fs::create_directories(fs::path(path).parent_path());
  REQUIRE(::mknod(path.c_str(), S_IFCHR, 0) == 0);  // any user may, since Linux 5.8
}

// A change of every kind, on a workspace that is not touched within the clock's tick.
struct Scene {
  TempDir directory = TempDir::Create().value();
  std::string workspace = directory.path() + "/workspace";
  std::string upper = directory.path() + "/upper";
  std::string log = directory.path() + "/log";
  int64_t started_ns = 0;
  TreeSnapshot before;
  TreeSnapshot after;

  Scene() {
    Put(workspace + "/changed", "old");
    Put(workspace + "/deleted", "deleted");
    Put(workspace + "/tree/a/b", "b");
    Put(workspace + "/tree/c", "c");
    Put(workspace + "/was-file", "file");
    Put(workspace + "/was-folder/in", "in");
    Put(workspace + "/mode", "mode");
    fs::create_symlink("changed", workspace + "/link");
    before = Snapshot(workspace);
    ::usleep(12'000);  // a tick, for kernels whose stamps are no finer
    started_ns = CallClock();
    Put(upper + "/changed", "new");
    Put(upper + "/created/sub/file", "created");
    Put(upper + "/was-file/in", "in");
    Put(upper + "/was-folder", "file");
    Put(upper + "/mode", "mode");
    REQUIRE(::chmod((upper + "/mode").c_str(), 0755) == 0);
    REQUIRE(::chmod((upper + "/created/sub").c_str(), 0555) == 0);
    Whiteout(upper + "/deleted");
    Whiteout(upper + "/tree");
    fs::create_symlink("created", upper + "/link");
    after = {{"changed", "file 644 new"},      {"created", "directory 755"},
             {"created/sub", "directory 555"}, {"created/sub/file", "file 644 created"},
             {"was-file", "directory 755"},    {"was-file/in", "file 644 in"},
             {"was-folder", "file 644 file"},  {"mode", "file 755 mode"},
             {"link", "symlink -> created"}};
  }
  ~Scene() { fs::permissions(upper + "/created/sub", fs::perms::owner_all); }
  Scene(const Scene&) = delete;
  Scene& operator=(const Scene&) = delete;

  Result<std::vector<Conflict>> Commit(TransactionLog& transactions, InStep in_step = {}) const {
    const TreeRoot root = TreeRoot::Open(workspace).value();
    const TreeRoot from(UniqueFd(::open(upper.c_str(), O_RDONLY | O_DIRECTORY)),
                        TreeRoot::Ownership::kOwn);
    const Diff diff = ReadUpperDiff(from, root, DiffLimits()).value();
    REQUIRE(diff.refusals.empty());
    return transactions.Commit({.id = "call",
                                .workspace = workspace,
                                .root = root,
                                .after = from,
                                .diff = diff,
                                .started_ns = started_ns,
                                .now_ms = 1,
                                .note = "note",
                                .in_step = std::move(in_step)});
  }
  std::unique_ptr<TransactionLog> Open(StepHook hook = {}) const {
    TransactionLog::Options options;
    options.hook = std::move(hook);
    return TransactionLog::Open(log, options).value();
  }
  // No name of ours is left beside the files.
  bool Clean() const {
    const TreeSnapshot now = Snapshot(workspace);
    return std::none_of(now.begin(), now.end(), [](const auto& entry) {
      return entry.first.find(".nacre-") != std::string::npos;
    });
  }
};

TEST_CASE("a commit is as the call left it, and undo as it was before") {
  Scene scene;
  const auto log = scene.Open();
  CHECK(scene.Commit(*log).value().empty());
  CHECK(Snapshot(scene.workspace) == scene.after);
  const std::optional<StoredTransaction> stored = log->Find("call").value();
  REQUIRE(stored.has_value());
  CHECK(stored->state == TransactionState::kDone);
  CHECK(stored->journal.header().note == "note");
  CHECK(log->List().value() == std::vector<std::string>{"call"});
  CHECK(log->Undo("call", 2).value().empty());
  CHECK(Snapshot(scene.workspace) == scene.before);
  CHECK(log->Find("call").value()->state == TransactionState::kUndone);
  CHECK(log->Undo("call", 3).error().code == ErrorCode::kFailedPrecondition);
  CHECK(log->Undo("other", 3).error().code == ErrorCode::kNotFound);
  CHECK(log->Undo("../x", 3).error().code == ErrorCode::kInvalidArgument);
}

TEST_CASE("what changes in step with the workspace does so while nobody else has it") {
  Scene scene;
  const auto log = scene.Open();
  const auto locked = [&] {
    const UniqueFd lock(::open((scene.log + "/lock").c_str(), O_RDWR | O_CLOEXEC));
    return ::flock(lock.get(), LOCK_EX | LOCK_NB) != 0;
  };
  std::vector<std::string> seen;
  const InStep step{
      .before = [&]() -> Result<std::string> {
        CHECK(locked());
        CHECK(Snapshot(scene.workspace) == (seen.empty() ? scene.before : scene.after));
        seen.emplace_back("before");
        return std::string("its note");
      },
      .after = [&]() -> Status {
        CHECK(locked());
        seen.emplace_back("after");
        return Ok();
      }};
  const InStep refuses{.before = []() -> Result<std::string> {
                         return Error{ErrorCode::kUnavailable, "no"};
                       },
                       .after =
                           [] {
                             return Status(Error{ErrorCode::kInternal, "not reached"});
                           }};
  CHECK(scene.Commit(*log, refuses).error().code == ErrorCode::kUnavailable);
  CHECK_FALSE(log->Find("call").value().has_value());
  CHECK(Snapshot(scene.workspace) == scene.before);
  CHECK(scene.Commit(*log, step).value().empty());
  CHECK(log->Find("call").value()->journal.header().note == "its note");
  CHECK(seen == std::vector<std::string>{"before", "after"});
  CHECK(log->Undo("call", 2, refuses).error().code == ErrorCode::kUnavailable);
  CHECK(Snapshot(scene.workspace) == scene.after);
  CHECK(log->Undo("call", 2, step).value().empty());
  CHECK(seen.size() == 4);
}

// Runs `work` in a child that ends at step `n`; false when it came to its end.
template <typename Work>
bool CrashAt(int n, const Work& work) {
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    int step = 0;
    work([&step, n](std::string_view) {
      if (step++ == n) {
        ::_exit(42);
      }
      return Ok();
    });
    ::_exit(0);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  REQUIRE(WIFEXITED(status));
  REQUIRE((WEXITSTATUS(status) == 42 || WEXITSTATUS(status) == 0));
  return WEXITSTATUS(status) == 42;
}

TEST_CASE("killed at any step of a commit, the workspace is as before or becomes as after") {
  int before = 0;
  int after = 0;
  bool crashed = true;
  for (int n = 0; crashed; ++n) {
    CAPTURE(n);
    Scene scene;
    crashed = CrashAt(n, [&](StepHook hook) {
      const auto log = scene.Open(std::move(hook));
      (void)scene.Commit(*log);
    });
    const auto log = scene.Open();
    const std::vector<Recovered> recovered = log->Recover(1).value();
    const TreeSnapshot now = Snapshot(scene.workspace);
    const bool committed = log->Find("call").value().has_value();
    CHECK(now == (committed ? scene.after : scene.before));
    CHECK(scene.Clean());
    CHECK(log->Recover(1).value().empty());
    committed ? ++after : ++before;
    if (committed) {
      CHECK(log->Undo("call", 2).value().empty());
      CHECK(Snapshot(scene.workspace) == scene.before);
    }
  }
  CHECK(before > 5);
  CHECK(after > 20);
}

TEST_CASE("killed at any step of an undo, it is undone at the next start or not begun") {
  int undone = 0;
  bool crashed = true;
  for (int n = 0; crashed; ++n) {
    CAPTURE(n);
    Scene scene;
    CHECK(scene.Commit(*scene.Open()).value().empty());
    crashed = CrashAt(n, [&](StepHook hook) {
      const auto log = scene.Open(std::move(hook));
      (void)log->Undo("call", 2);
    });
    const auto log = scene.Open();
    (void)log->Recover(1).value();
    const TransactionState state = log->Find("call").value()->state;
    CHECK((state == TransactionState::kDone || state == TransactionState::kUndone));
    CHECK(Snapshot(scene.workspace) ==
          (state == TransactionState::kUndone ? scene.before : scene.after));
    CHECK(scene.Clean());
    undone += state == TransactionState::kUndone ? 1 : 0;
  }
  CHECK(undone > 20);
}

TEST_CASE("an error at any step of a commit leaves the workspace as before, or is settled later") {
  int failed = 0;
  for (int n = 0;; ++n) {
    CAPTURE(n);
    Scene scene;
    int step = 0;
    const auto log = scene.Open([&step, n](std::string_view) -> Status {
      // One step fails; what takes it back must not.
      return step++ == n ? Status(Error{ErrorCode::kResourceExhausted, "no space left"}) : Ok();
    });
    const auto committed = scene.Commit(*log);
    if (committed.ok()) {
      CHECK(Snapshot(scene.workspace) == scene.after);
      break;
    }
    ++failed;
    const auto next = scene.Open();
    (void)next->Recover(1).value();
    const std::optional<StoredTransaction> stored = next->Find("call").value();
    const bool done = stored.has_value() && stored->state == TransactionState::kDone;
    CHECK(Snapshot(scene.workspace) == (done ? scene.after : scene.before));
    CHECK(scene.Clean());
  }
  CHECK(failed > 20);
}

TEST_CASE("what a crash left is finished only after what goes with it") {
  Scene scene;
  REQUIRE(CrashAt(0, [&](StepHook) {
    const auto log = scene.Open([&](std::string_view step) {
      if (step == "done") {
        ::_exit(42);
      }
      return Ok();
    });
    (void)scene.Commit(*log);
  }));
  TransactionLog::Options options;
  bool there = false;
  options.before_recovery = [&there](const JournalHeader& header) {
    CHECK(header.note == "note");
    return there ? Ok() : Status(Error{ErrorCode::kUnavailable, "the disk is gone"});
  };
  const auto log = TransactionLog::Open(scene.log, options).value();
  std::vector<Recovered> recovered = log->Recover(1).value();
  REQUIRE(recovered.size() == 1);
  CHECK(recovered[0].end == Recovered::End::kWaiting);
  CHECK(recovered[0].problem == "the disk is gone");
  there = true;
  recovered = log->Recover(1).value();
  REQUIRE(recovered.size() == 1);
  CHECK(recovered[0].end == Recovered::End::kCommitted);
  CHECK(Snapshot(scene.workspace) == scene.after);
}

TEST_CASE("what somebody changed after a crash is kept, and the rest is as before") {
  Scene scene;
  // Killed right after the commit point: nothing of the workspace is changed yet.
  int commits = 0;
  REQUIRE(CrashAt(0, [&](StepHook) {
    const auto log = scene.Open([&](std::string_view step) {
      if (step == "rename" && ++commits == 2) {
        ::_exit(42);
      }
      return Ok();
    });
    (void)scene.Commit(*log);
  }));
  std::ofstream(scene.workspace + "/mode") << "somebody's";
  const auto log = scene.Open();
  const std::vector<Recovered> recovered = log->Recover(1).value();
  REQUIRE(recovered.size() == 1);
  CHECK(recovered[0].end == Recovered::End::kTakenBack);
  CHECK(recovered[0].conflicts == std::vector<Conflict>{{"mode", "was changed"}});
  TreeSnapshot expected = scene.before;
  expected["mode"] = "file 644 somebody's";
  CHECK(Snapshot(scene.workspace) == expected);
  CHECK(log->Find("call").value()->state == TransactionState::kConflict);
}

TEST_CASE("undo refuses where later changes overlap, names the files and changes nothing") {
  Scene scene;
  const auto log = scene.Open();
  CHECK(scene.Commit(*log).value().empty());
  std::ofstream(scene.workspace + "/changed") << "later";
  std::ofstream(scene.workspace + "/was-file/later") << "later";
  fs::remove(scene.workspace + "/was-folder");
  const TreeSnapshot now = Snapshot(scene.workspace);
  CHECK(log->Undo("call", 2).value() ==
        std::vector<Conflict>{{"changed", "was changed"}, {"was-file/later", "was added"}});
  CHECK(Snapshot(scene.workspace) == now);
  fs::remove(scene.workspace + "/was-file/later");
  std::ofstream(scene.workspace + "/changed") << "new";
  CHECK(
      log->Undo("call", 3).value().empty());  // as the call left it, or gone: nobody's work is lost
  CHECK(Snapshot(scene.workspace) == scene.before);
}

TEST_CASE("a commit is refused where anything it replaces was changed since the call began") {
  const auto check = [](const char* what, const auto& meddle) {
    CAPTURE(what);
    Scene scene;
    meddle(scene.workspace);
    const TreeSnapshot now = Snapshot(scene.workspace);
    const auto log = scene.Open();
    CHECK(scene.Commit(*log).value().size() == 1);
    CHECK(Snapshot(scene.workspace) == now);
    CHECK_FALSE(log->Find("call").value().has_value());
  };
  check("content", [](const std::string& at) { std::ofstream(at + "/changed") << "x"; });
  check("mode", [](const std::string& at) { ::chmod((at + "/deleted").c_str(), 0600); });
  check("content and time", [](const std::string& at) {
    std::ofstream(at + "/changed") << "OLD";
    const struct timespec times[2] = {{0, 0}, {0, 0}};
    ::utimensat(AT_FDCWD, (at + "/changed").c_str(), times, 0);
  });
  check("a file in a deleted folder",
        [](const std::string& at) { std::ofstream(at + "/tree/c") << "x"; });
  check("a link", [](const std::string& at) {
    fs::remove(at + "/link");
    fs::create_symlink("elsewhere", at + "/link");
  });
}

TEST_CASE("a link or a folder that takes another's place while we commit leads nowhere else") {
  Scene scene;
  const std::string outside = scene.directory.path() + "/outside";
  Put(outside + "/sub/file", "outside");
  Put(outside + "/in", "outside");
  const TreeSnapshot untouched = Snapshot(outside);
  for (const char* victim : {"created", "created/sub", "was-file", "tree/a"}) {
    for (const char* when : {"commit", "rename", "remove", "write beside", "make folder"}) {
      Scene each;
      const std::string path = each.workspace + "/" + victim;
      const auto log = each.Open([&, done = false](std::string_view step) mutable {
        if (!done && step == when) {
          done = true;
          std::error_code ignored;
          fs::remove_all(path, ignored);
          fs::create_directory_symlink(outside, path, ignored);
        }
        return Ok();
      });
      (void)each.Commit(*log);
      CAPTURE(victim, when);
      CHECK(Snapshot(outside) == untouched);
    }
  }
}

TEST_CASE("a journal that was torn or changed is refused, and undoes nothing") {
  Scene scene;
  const auto log = scene.Open();
  CHECK(scene.Commit(*log).value().empty());
  const std::string path = scene.log + "/call.done";
  const std::string whole = ReadFile(path, 1 << 20).value();
  for (const size_t at : {whole.size() - 1, whole.size() - 20, whole.size() - 60, size_t{1}}) {
    std::string bytes = whole;
    bytes[at] = static_cast<char>(bytes[at] ^ 1);
    std::ofstream(path, std::ios::binary) << bytes;
    CHECK(log->Undo("call", 2).error().code == ErrorCode::kDataLoss);
    CHECK(Snapshot(scene.workspace) == scene.after);
  }
  std::ofstream(path, std::ios::binary) << whole.substr(0, whole.size() / 2);
  CHECK(log->Find("call").error().code == ErrorCode::kDataLoss);
}

TEST_CASE("an erased transaction is gone with its bytes, and the workspace stays as it is") {
  Scene scene;
  const auto log = scene.Open();
  CHECK_FALSE(log->Erase("call").value());
  REQUIRE(scene.Commit(*log).value().empty());
  // A second name of the file shows what became of its bytes.
  const std::string kept = scene.directory.path() + "/kept";
  REQUIRE(::link((scene.log + "/call.done").c_str(), kept.c_str()) == 0);
  const std::string before = ReadFile(kept, 1 << 20).value();
  REQUIRE(before.find("deleted") != std::string::npos);
  CHECK(log->Erase("call").value());
  CHECK(ReadFile(kept, 1 << 20).value() == std::string(before.size(), '\0'));
  CHECK_FALSE(log->Find("call").value().has_value());
  CHECK(log->Undo("call", 2).error().code == ErrorCode::kNotFound);
  CHECK(Snapshot(scene.workspace) == scene.after);
  CHECK(log->Erase("../call").error().code == ErrorCode::kInvalidArgument);
}

TEST_CASE("what is not settled yet is not erased") {
  Scene scene;
  REQUIRE(scene.Commit(*scene.Open()).ok());
  fs::rename(scene.log + "/call.done", scene.log + "/call.pending");
  CHECK(scene.Open()->Erase("call").error().code == ErrorCode::kFailedPrecondition);
  CHECK(fs::exists(scene.log + "/call.pending"));
}

TEST_CASE("old transactions go when the log is too large or they are too old") {
  Scene scene;
  CHECK(scene.Commit(*scene.Open()).value().empty());
  TransactionLog::Options options;
  const auto young = TransactionLog::Open(scene.log, options).value();
  const int64_t now_ms = CallClock() / 1'000'000;
  CHECK(young->Recover(now_ms).value().empty());
  CHECK(young->List().value().size() == 1);
  options.bytes_max = 100;
  CHECK(TransactionLog::Open(scene.log, options).value()->Recover(now_ms).value().empty());
  CHECK(young->List().value().empty());
}

TEST_CASE("old transactions go after commits too, and never the one just made") {
  const TempDir directory = TempDir::Create().value();
  const std::string workspace = directory.path() + "/workspace";
  const std::string upper = directory.path() + "/upper";
  fs::create_directory(workspace);
  TransactionLog::Options options;
  const int64_t now_ms = CallClock() / 1'000'000;
  const auto commit = [&](TransactionLog& log, const std::string& id, size_t bytes) {
    fs::remove_all(upper);
    Put(upper + "/" + id, std::string(bytes, 'x'));
    const int64_t started_ns = CallClock();
    const TreeRoot root = TreeRoot::Open(workspace).value();
    const TreeRoot from = TreeRoot::Open(upper).value();
    const Diff diff = ReadUpperDiff(from, root, DiffLimits()).value();
    CHECK(log.Commit({.id = id,
                      .workspace = workspace,
                      .root = root,
                      .after = from,
                      .diff = diff,
                      .started_ns = started_ns,
                      .now_ms = now_ms,
                      .note = {}})
              .value()
              .empty());
  };
  using Ids = std::vector<std::string>;
  SECTION("when they take too much") {
    options.bytes_max = 40'000;
    const auto log = TransactionLog::Open(directory.path() + "/log", options).value();
    commit(*log, "a", 15'000);
    commit(*log, "b", 15'000);
    CHECK(log->List().value() == Ids{"b", "a"});
    commit(*log, "c", 15'000);
    CHECK(log->List().value() == Ids{"c", "b"});
    commit(*log, "d", 100'000);
    CHECK(log->List().value() == Ids{"d"});
    CHECK(log->Undo("d", now_ms).value().empty());
    // What is pending is not looked at, and a small one does not make room for itself each time.
    commit(*log, "e", 10);
    CHECK(log->List().value() == Ids{"e", "d"});
  }
  SECTION("when there are too many, with every hundredth commit") {
    options.transactions_max = 3;
    const auto log = TransactionLog::Open(directory.path() + "/log", options).value();
    for (int i = 0; i < 99; ++i) {
      commit(*log, "call" + std::to_string(100 + i), 10);
    }
    CHECK(log->List().value().size() == 99);
    commit(*log, "call199", 10);
    CHECK(log->List().value() == Ids{"call199", "call198", "call197"});
  }
}

TEST_CASE("what a hostile upper layer holds is refused by name") {
  Scene scene;
  Put(scene.upper + "/program", "x");
  REQUIRE(::chmod((scene.upper + "/program").c_str(), 04755) == 0);
  Put(scene.upper + "/group", "x");
  REQUIRE(::chmod((scene.upper + "/group").c_str(), 02755) == 0);
  REQUIRE(::mkfifo((scene.upper + "/fifo").c_str(), 0600) == 0);
  if (::geteuid() == 0) {
    REQUIRE(::mknod((scene.upper + "/disk").c_str(), S_IFBLK | 0600, makedev(8, 0)) == 0);
    REQUIRE(::mknod((scene.upper + "/null").c_str(), S_IFCHR | 0600, makedev(1, 3)) == 0);
  }
  REQUIRE(::mkfifo((scene.workspace + "/theirs").c_str(), 0600) == 0);
  Whiteout(scene.upper + "/theirs");
  const TreeRoot root = TreeRoot::Open(scene.workspace).value();
  const TreeRoot upper = TreeRoot::Open(scene.upper).value();
  const Diff diff = ReadUpperDiff(upper, root, DiffLimits()).value();
  std::vector<Refusal> expected = {{"fifo", "a device, FIFO or socket"},
                                   {"group", "a setuid or setgid program"},
                                   {"program", "a setuid or setgid program"},
                                   {"theirs", "takes the place of a device, FIFO or socket"}};
  if (::geteuid() == 0) {
    expected.insert(expected.begin(), {"disk", "a device, FIFO or socket"});
    expected.insert(expected.begin() + 3, {"null", "a device, FIFO or socket"});
  }
  CHECK(diff.refusals == expected);
}

TEST_CASE("marks in an upper layer that nacre's overlays never make are refused") {
  Scene scene;
  fs::create_directory(scene.upper + "/moved");
  if (::setxattr((scene.upper + "/moved").c_str(), "user.overlay.redirect", "/etc", 4, 0) != 0) {
    SKIP_HERE("no user attributes in the file system of temporary files");
  }
  const TreeRoot root = TreeRoot::Open(scene.workspace).value();
  const TreeRoot upper = TreeRoot::Open(scene.upper).value();
  const Diff diff = ReadUpperDiff(upper, root, DiffLimits()).value();
  CHECK(diff.refusals ==
        std::vector<Refusal>{{"moved", "a folder with the attribute user.overlay.redirect"}});
}

TEST_CASE("paths are written so that every byte survives") {
  for (const std::string path : {"plain", "a/b c", "100%", "tab\there", "\xff\xfe", "naïve"}) {
    const std::string encoded = EncodePath(path);
    CHECK(DecodePath(encoded).value() == path);
    CHECK(Json::accept(Json(encoded).dump()));
  }
  CHECK(EncodePath("\x1b[2J%") == "%1B[2J%25");
  CHECK_FALSE(DecodePath("%1").ok());
  CHECK_FALSE(DecodePath("%zz").ok());
  CHECK(IsTreePath("a/b"));
  for (const std::string& bad : std::vector<std::string>{"", "/a", "a/", "a//b", "../a", "a/..",
                                                         ".", std::string("a\0b", 3)}) {
    CHECK_FALSE(IsTreePath(bad));
  }
  CHECK_FALSE(IsTreePath(std::string(256, 'x')));
}

}  // namespace
}  // namespace nacre::sandbox
