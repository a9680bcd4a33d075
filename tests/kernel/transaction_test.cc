// A call's transaction on its workspace, with the real overlay: what is seen inside, what the diff
// says, what the commit makes of it.
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <fstream>
#include <random>

#include "base/temp_dir.h"
#include "sandbox/workspace/transaction_log.h"
#include "tests/support/diff_text.h"
#include "tests/support/sandbox_runner.h"
#include "tests/support/skip.h"
#include "tests/support/tree_snapshot.h"

namespace nacre::sandbox {
namespace {

class LayerIo final : public CallIo {
 public:
  Reply OnStart() override { return {.bytes = {}, .close_input = true, .kill = false}; }
  Reply OnChannelBytes(std::string_view) override { return {}; }
  void OnCallLayer(CallLayer given) override { layer.emplace(std::move(given)); }
  std::optional<CallLayer> layer;
};

std::string Get(const std::string& path) {
  return ReadFile(path, 1 << 20).value();
}

// A workspace, the log of its transactions, and calls on it.
struct Bench {
  TempDir workspace = TempDir::Create().value();
  TempDir state = TempDir::Create().value();
  std::unique_ptr<TransactionLog> log = TransactionLog::Open(state.path() + "/log").value();
  TreeRoot root = TreeRoot::Open(workspace.path()).value();
  Outcome outcome;
  DiffLimits limits;
  std::vector<std::string> read_only;
  std::vector<std::string> hidden;

  std::string At(const std::string& path) const { return workspace.path() + "/" + path; }
  void Put(const std::string& path, const std::string& content) const {
    std::filesystem::create_directories(std::filesystem::path(At(path)).parent_path());
    std::ofstream(At(path)) << content;
  }
  // What was written in the last tick of the clock would count as written while the call runs.
  static int64_t NextTick() {
    ::usleep(12'000);
    return CallClock();
  }

  struct Call {
    CallLayer layer;
    int64_t started_ns;
    Diff diff;
  };
  Call Run(const std::string& script) {
    const int64_t started = NextTick();
    SandboxSpec spec = Shell(script);
    spec.mounts.push_back(
        {.source = workspace.path(), .target = "/workspace", .access = Access::kTransactional});
    spec.working_directory = "/workspace";
    spec.read_only = read_only;
    spec.hidden = hidden;
    LayerIo io;
    outcome = SharedSandbox().Run(spec, io, CancelToken()).value();
    INFO(Describe(outcome) << outcome.error_output);
    REQUIRE(io.layer.has_value());
    CHECK(outcome.layers.workspace == LayerKindName(io.layer->kind()));
    if (IsRunWithoutOverlay()) {
      CHECK(io.layer->kind() == LayerKind::kCopy);
    }
    Call call{std::move(*io.layer), started, {}};
    call.diff = call.layer.ReadDiff(root, limits).value();
    return call;
  }
  std::vector<Conflict> Commit(const std::string& id, const Call& call) {
    return log
        ->Commit({.id = id,
                  .workspace = workspace.path(),
                  .root = root,
                  .after = call.layer.tree(),
                  .diff = call.diff,
                  .started_ns = call.started_ns,
                  .now_ms = 1,
                  .note = {}})
        .value();
  }
};

TEST_CASE(
    "a transactional workspace is writable inside and unchanged outside until it is committed",
    "[transaction]") {
  Bench bench;
  bench.Put("notes", "old");
  bench.Put("sub/deep/file", "deep");
  const TreeSnapshot before = Snapshot(bench.workspace.path());
  const Bench::Call call = bench.Run(
      "cat notes && echo new > notes && mkdir d && echo x > d/x && cat notes d/x && "
      "rm -r sub && ls");
  CHECK(bench.outcome.output == "oldnew\nx\nd\nnotes\n");
  CHECK(Snapshot(bench.workspace.path()) == before);
  CHECK(DiffText(call.diff) == "+d\n+d/x\n~notes\n-sub\n-sub/deep\n-sub/deep/file\n");
  CHECK(bench.Commit("one", call).empty());
  CHECK(Snapshot(bench.workspace.path()) ==
        TreeSnapshot{{"notes", "file 644 new\n"}, {"d", "directory 755"}, {"d/x", "file 644 x\n"}});
  CHECK(bench.log->Undo("one", 2).value().empty());
  CHECK(Snapshot(bench.workspace.path()) == before);
}

// What cannot be had through an overlay is copied, within the call's limits; more is refused.
TEST_CASE("a workspace that must be copied and is larger than the disk limit is refused by name",
          "[transaction]") {
  Bench bench;
  bench.Put("large", std::string(3 << 20, 'x'));
  SandboxSpec spec = Shell("echo new > made; head -c 1 large");
  spec.limits.disk_bytes = 2 << 20;
  spec.mounts.push_back(
      {.source = bench.workspace.path(), .target = "/workspace", .access = Access::kTransactional});
  spec.working_directory = "/workspace";
  const Outcome outcome = RunSpec(spec);
  if (outcome.layers.workspace == "overlay") {
    CHECK(outcome.output == "x");
    return;
  }
  CHECK(outcome.kind == OutcomeKind::kSetupFailed);
  CHECK(outcome.setup_errno == 0);
  CHECK(Describe(outcome).find("larger than the call's disk limit of 2097152 bytes") !=
        std::string::npos);
  CHECK(Describe(outcome).find("mode: direct") != std::string::npos);
  CHECK(outcome.output.empty());
}

TEST_CASE("what is hidden is not in a call's layer, and cannot be put in its place",
          "[transaction]") {
  Bench bench;
  bench.Put("a/secret", "secret");
  bench.Put("key", "secret");
  bench.Put("a/open", "open");
  bench.hidden = {"/workspace/key", "/workspace/a/secret"};
  const Bench::Call call = bench.Run(
      "cat key a/secret; echo x > key; rm -f key a/secret; mv a b; cat a/open; echo y > a/new");
  CHECK(bench.outcome.output == "open");
  CHECK(DiffText(call.diff) == "+a/new\n");
  struct stat info = {};
  if (call.layer.kind() == LayerKind::kCopy) {
    REQUIRE(::fstatat(call.layer.tree().fd(), "a/secret", &info, 0) == 0);
    CHECK(info.st_size == 0);
  } else {
    CHECK(::fstatat(call.layer.tree().fd(), "a/secret", &info, 0) != 0);
  }
}

TEST_CASE("folders within folders are worked on, however deep", "[transaction]") {
  Bench bench;
  std::string path;
  for (int depth = 0; depth < 100; ++depth) {
    path += "d/";
  }
  bench.Put(path + "file", "old");
  bench.Run("true");  // the first call of a kind starts cold
  const Bench::Call call = bench.Run("echo new > " + path + "file && cat " + path + "file");
  CHECK(bench.outcome.output == "new\n");
  CHECK(DiffText(call.diff) == "~" + path + "file\n");
}

TEST_CASE("a call that wrote nothing leaves nothing to look at", "[transaction]") {
  Bench bench;
  bench.Put("notes", "old");
  const Bench::Call call = bench.Run("cat notes; ls > /dev/null");
  CHECK(call.layer.IsUntouched(bench.root));
  CHECK(call.diff.empty());
}

TEST_CASE("what was opened for writing and left as it was is no change; a new time is one",
          "[transaction]") {
  Bench bench;
  bench.Put("same", "same");
  bench.Put("touched", "touched");
  const Bench::Call call = bench.Run(": >> same; touch touched");
  CHECK(DiffText(call.diff) == "=touched\n");
  struct stat before = {};
  REQUIRE(::stat(bench.At("touched").c_str(), &before) == 0);
  CHECK(bench.Commit("touch", call).empty());
  struct stat after = {};
  REQUIRE(::stat(bench.At("touched").c_str(), &after) == 0);
  CHECK(after.st_ino == before.st_ino);
  CHECK(std::pair(after.st_mtim.tv_sec, after.st_mtim.tv_nsec) >
        std::pair(before.st_mtim.tv_sec, before.st_mtim.tv_nsec));
}

TEST_CASE("a folder that replaces another, and types that change, are told apart",
          "[transaction]") {
  Bench bench;
  bench.Put("d/old", "old");
  bench.Put("d/kept", "kept");
  bench.Put("file", "file");
  bench.Put("folder/in", "in");
  const Bench::Call call = bench.Run(
      "rm -r d; mkdir d; printf kept > d/kept; echo new > d/new; rm file; mkdir file; "
      "echo x > file/x; rm -r folder; ln -s d folder");
  CHECK(DiffText(call.diff) == "=d/kept\n+d/new\n-d/old\n~file\n+file/x\n~folder\n-folder/in\n");
  const TreeSnapshot before = Snapshot(bench.workspace.path());
  CHECK(bench.Commit("types", call).empty());
  CHECK(Snapshot(bench.workspace.path()) == TreeSnapshot{{"d", "directory 755"},
                                                         {"d/kept", "file 644 kept"},
                                                         {"d/new", "file 644 new\n"},
                                                         {"file", "directory 755"},
                                                         {"file/x", "file 644 x\n"},
                                                         {"folder", "symlink -> d"}});
  CHECK(bench.log->Undo("types", 2).value().empty());
  CHECK(Snapshot(bench.workspace.path()) == before);
}

TEST_CASE("a FIFO that a call leaves is refused by name", "[transaction]") {
  Bench bench;
  const Bench::Call call = bench.Run("mkfifo pipe; mkdir d; mkfifo d/pipe; echo x > fine");
  CHECK(DiffText(call.diff) ==
        "+d\n+fine\n!d/pipe: a device, FIFO or socket\n!pipe: a device, FIFO or socket\n");
}

TEST_CASE("limits of a diff refuse it by name", "[transaction]") {
  Bench bench;
  bench.limits = {.changes = 10, .bytes = 1000};
  CHECK(DiffText(bench.Run("for i in 1 2 3 4 5 6 7 8 9 10 11 12; do : > $i; done").diff)
            .ends_with("more than 10 changes\n"));
  CHECK(DiffText(bench.Run("head -c 2000 /dev/zero > big").diff) ==
        "!big: more than 1000 bytes changed\n");
  const Bench::Call deep =
      bench.Run("i=0; while [ $i -lt 140 ]; do mkdir x && cd -P x || exit; i=$((i+1)); done");
  CHECK(DiffText(deep.diff).find("!") != std::string::npos);
}

TEST_CASE("what takes more than the disk limit ends the call", "[transaction]") {
  Bench bench;
  SandboxSpec spec = Shell("for i in 1 2 3 4; do head -c 700000 /dev/zero > f$i; done; sleep 5");
  spec.limits.disk_bytes = 1 << 20;
  spec.mounts.push_back(
      {.source = bench.workspace.path(), .target = "/workspace", .access = Access::kTransactional});
  spec.working_directory = "/workspace";
  CHECK(RunSpec(spec).kind == OutcomeKind::kDiskExceeded);
  CHECK(Snapshot(bench.workspace.path()).empty());
}

TEST_CASE("protected paths stay so below an overlay, also when a folder above is renamed",
          "[transaction]") {
  Bench bench;
  bench.Put("a/b/secret", "kept");
  bench.read_only = {"/workspace/a/b/secret"};
  const Bench::Call call = bench.Run(
      "echo x > a/b/secret; mv a c; mv a/b a/e; rm -rf a; rm -f a/b/secret; echo y > a/other; "
      "cat a/b/secret");
  CHECK(bench.outcome.output == "kept");
  CHECK(DiffText(call.diff) == "+a/other\n");
}

TEST_CASE("what a call makes in a transactional workspace runs under the build profile only",
          "[transaction]") {
  for (const bool build : {true, false}) {
    const TempDir workspace = TempDir::Create().value();
    SandboxSpec spec = Shell("cp /bin/true t && ./t && echo ran");
    spec.seccomp_profile = build ? "build" : "default";
    spec.mounts = {{.source = workspace.path(),
                    .target = "/workspace",
                    .access = Access::kTransactional,
                    .executable = Executable::kYes}};
    spec.working_directory = "/workspace";
    CHECK(RunSpec(spec).output == (build ? "ran\n" : ""));
  }
}

TEST_CASE("of two calls that change the same file the second to commit is a conflict",
          "[transaction]") {
  Bench bench;
  bench.Put("shared", "0");
  bench.Put("gone", "0");
  const Bench::Call first = bench.Run("echo 1 > shared; echo 1 > first; rm gone");
  Bench::Call second = bench.Run("echo 2 > shared; echo 2 > second");
  const Bench::Call third = bench.Run("echo 3 > third");
  Bench::Call fourth = bench.Run("echo 4 >> gone");
  CHECK(bench.Commit("first", first).empty());
  // The second's diff was made before the first was committed; a later one sees the new inode.
  CHECK(bench.Commit("second", second) == std::vector<Conflict>{{"shared", "was changed"}});
  CHECK(bench.Commit("third", third).empty());
  CHECK(bench.Commit("fourth", fourth) == std::vector<Conflict>{{"gone", "is gone"}});
  second.diff = second.layer.ReadDiff(bench.root, bench.limits).value();
  CHECK(bench.Commit("again", second) ==
        std::vector<Conflict>{{"shared", "was changed while the call ran"}});
  fourth.diff = fourth.layer.ReadDiff(bench.root, bench.limits).value();
  CHECK(bench.Commit("revived", fourth) ==
        std::vector<Conflict>{{"gone", "was deleted while the call ran"}});
  CHECK(Get(bench.At("shared")) == "1\n");
  CHECK_FALSE(std::filesystem::exists(bench.At("second")));
}

// ---- files of other owners -----------------------------------------------------------------------

// A group that we may give files to, and that is not ours: any as root, else a supplementary one.
std::optional<gid_t> SecondGroup() {
  if (::geteuid() == 0) {
    return 64399;
  }
  std::vector<gid_t> groups(static_cast<size_t>(std::max(::getgroups(0, nullptr), 0)));
  groups.resize(static_cast<size_t>(
      std::max(::getgroups(static_cast<int>(groups.size()), groups.data()), 0)));
  std::erase(groups, ::getegid());
  return groups.empty() ? std::nullopt : std::optional(groups.front());
}

struct stat StatOf(const std::string& path) {
  struct stat info = {};
  REQUIRE(::lstat(path.c_str(), &info) == 0);
  return info;
}

void Give(const std::string& path, uid_t uid, gid_t gid, mode_t mode) {
  REQUIRE(::lchown(path.c_str(), uid, gid) == 0);
  REQUIRE(::chmod(path.c_str(), mode) == 0);
}

TEST_CASE("a call changes what belongs to another group of ours, and it stays that group's",
          "[transaction][owners]") {
  const std::optional<gid_t> group = SecondGroup();
  if (!group) {
    SKIP_HERE("we have no second group");
  }
  Bench bench;
  bench.Put("team", "old");
  bench.Put("replaced", "old");
  bench.Put("shared/in", "old");
  bench.Put("ours", "old");
  Give(bench.At("team"), ::geteuid(), *group, 0664);
  Give(bench.At("replaced"), ::geteuid(), *group, 0640);
  Give(bench.At("shared/in"), ::geteuid(), *group, 0664);
  Give(bench.At("shared"), ::geteuid(), *group, 02775);
  const TreeSnapshot before = Snapshot(bench.workspace.path());
  const Bench::Call call = bench.Run(
      "echo new > team && echo new > r && chmod 640 r && mv r replaced && echo new > shared/made "
      "&& "
      "mkdir shared/d && echo new > shared/d/file && echo new > ours && echo all");
  CHECK(bench.outcome.output == "all\n");
  CHECK(call.layer.kind() == LayerKind::kCopy);
  CHECK(DiffText(call.diff) ==
        "~ours\n~replaced\n+shared/d\n+shared/d/file\n+shared/made\n~team\n");
  CHECK(Snapshot(bench.workspace.path()) == before);
  CHECK(bench.Commit("one", call).empty());
  for (const char* path :
       {"team", "replaced", "shared/in", "shared/made", "shared/d", "shared/d/file", "shared"}) {
    CAPTURE(path);
    CHECK(StatOf(bench.At(path)).st_gid == *group);
    CHECK(StatOf(bench.At(path)).st_uid == ::geteuid());
  }
  CHECK(StatOf(bench.At("ours")).st_gid == StatOf(bench.workspace.path()).st_gid);
  CHECK((StatOf(bench.At("team")).st_mode & 07777) == 0664);
  CHECK((StatOf(bench.At("replaced")).st_mode & 07777) == 0640);
  CHECK((StatOf(bench.At("shared/d")).st_mode & S_ISGID) != 0);
  CHECK(Get(bench.At("team")) == "new\n");
  CHECK(bench.log->Undo("one", 2).value().empty());
  CHECK(Snapshot(bench.workspace.path()) == before);
  CHECK(StatOf(bench.At("team")).st_gid == *group);
}

TEST_CASE("as root a call changes what belongs to another user, and it stays that user's",
          "[transaction][owners]") {
  if (::geteuid() != 0) {
    SKIP_HERE("only root can give a file to another user");
  }
  Bench bench;
  bench.Put("theirs", "old");
  Give(bench.At("theirs"), 64322, 64323, 0644);
  const Bench::Call call = bench.Run("echo new > theirs && echo new > made");
  CHECK(call.layer.kind() == LayerKind::kCopy);
  CHECK(bench.Commit("one", call).empty());
  CHECK(Get(bench.At("theirs")) == "new\n");
  CHECK(StatOf(bench.At("theirs")).st_uid == 64322);
  CHECK(StatOf(bench.At("theirs")).st_gid == 64323);
  CHECK(StatOf(bench.At("made")).st_uid == StatOf(bench.workspace.path()).st_uid);
}

TEST_CASE("where all is ours, or no copy would fit, the overlay stays", "[transaction][owners]") {
  const std::optional<gid_t> group = SecondGroup();
  if (!group || IsRunWithoutOverlay()) {
    SKIP_HERE("we have no second group, or no overlay");
  }
  Bench bench;
  bench.Put("team", "old");
  const Bench::Call ours = bench.Run("echo new > team && echo changed");
  if (ours.layer.kind() != LayerKind::kOverlay) {
    SKIP_HERE("there is no overlay here");
  }
  CHECK(bench.outcome.output == "changed\n");
  Give(bench.At("team"), ::geteuid(), *group, 0664);
  bench.Put("large", "");
  std::filesystem::resize_file(bench.At("large"), (128 << 20) + 1);
  const Bench::Call large = bench.Run("echo new > team || echo new > made");
  CHECK(large.layer.kind() == LayerKind::kOverlay);
  CHECK(DiffText(large.diff) == "+made\n");
  std::filesystem::resize_file(bench.At("large"), 128 << 10);
  CHECK(bench.Run("echo new > team").layer.kind() == LayerKind::kCopy);
}

// ---- the same operations on a plain folder -------------------------------------------------------

// A file that had two names before the call is two files after it changed one of them: the overlay
// copies by name. So the workspace begins without; inside, links are made and written through.
enum class HardLinks { kNo = 0, kYes };

std::string RandomScript(std::mt19937& random, HardLinks links) {
  static const std::vector<std::string> kNames = {"a",     "b",      "c",        "d",
                                                  "'o d'", "\"q'\"", "$'\\377x'"};
  const auto pick = [&](unsigned count) {
    return std::uniform_int_distribution<unsigned>(0, count - 1)(random);
  };
  const auto path = [&] {
    std::string text = kNames[pick(7)];
    while (pick(3) == 0) {
      text += "/" + kNames[pick(7)];
    }
    return text;
  };
  std::string script = "exec 2>/dev/null\n";
  for (int i = 0; i < 25; ++i) {
    const std::string a = path();
    const std::string b = path();
    const std::string number = std::to_string(i);
    switch (pick(20)) {
      case 0:
      case 1:
        script += "[ -L " + a + " ] || echo " + number + " > " + a;
        break;
      case 2:
        script += "echo " + number + " >> " + a;
        break;
      case 3:
        script += "rm " + a;
        break;
      case 4:
      case 5:
        script += "mkdir -p " + a;
        break;
      case 6:
        script += "rmdir " + a;
        break;
      case 7:
        script += "rm -rf " + a;
        break;
      case 8:
        script += "mv -T " + a + " " + b;
        break;
      case 9:
        script += "ln -s " + b + " " + a;
        break;
      case 10:
        script += (links == HardLinks::kYes ? "ln -P " : "cp -PT ") + a + " " + b;
        break;
      case 11:
        script += "[ -L " + a + " ] || chmod 7" + std::to_string(pick(8)) +
                  std::to_string(pick(8)) + " " + a;
        break;
      case 12:
        script += "cp -RPT " + a + " " + b;
        break;
      case 13:
        script += "truncate -s " + std::to_string(pick(9)) + " " + a;
        break;
      case 14:  // a hole, and something behind it
        script += "[ -L " + a + " ] || { truncate -s 70000 " + a + " && echo " + number + " >> " +
                  a + "; }";
        break;
      case 15:  // over what is there, in the middle
        script +=
            "[ -L " + a + " ] || printf " + number + " | dd of=" + a + " bs=1 seek=3 conv=notrunc";
        break;
      case 16:  // a folder with something in it goes elsewhere
        script += "mkdir -p " + a + "/in && echo " + number + " > " + a + "/in/file; mv -T " + a +
                  " " + b;
        break;
      case 17:  // a folder that replaces another
        script += "rm -rf " + a + " && mkdir " + a + " && echo " + number + " > " + a + "/" +
                  kNames[pick(7)];
        break;
      case 18:  // two entries change places
        script += "mv -T " + a + " t && mv -T " + b + " " + a + " && mv -T t " + b;
        break;
      default:
        script += "ln -sfn " + b + " " + a + "; touch -h -d @" + number + " " + a;
        break;
    }
    script += "\n";
  }
  return script;
}

void RunPlainly(const std::string& folder, const std::string& script) {
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    ::umask(022);
    if (::chdir(folder.c_str()) == 0) {
      ::execl("/bin/bash", "bash", "-c", script.c_str(), nullptr);
    }
    ::_exit(127);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
}

TEST_CASE("random operations inside and a commit equal the same operations on a plain folder",
          "[transaction]") {
  if (::access("/bin/bash", X_OK) != 0) {
    SKIP_HERE("no bash");
  }
  const unsigned first = 20261126;
  for (unsigned seed = first; seed < first + 15; ++seed) {
    std::mt19937 random(seed);
    const std::string prepare =
        RandomScript(random, HardLinks::kNo) + RandomScript(random, HardLinks::kNo);
    const std::string script = RandomScript(random, HardLinks::kYes);
    CAPTURE(seed, prepare, script);
    Bench bench;
    const TempDir plain = TempDir::Create().value();
    RunPlainly(bench.workspace.path(), prepare);
    RunPlainly(plain.path(), prepare);
    const TreeSnapshot before = Snapshot(bench.workspace.path());
    REQUIRE(Snapshot(plain.path()) == before);
    RunPlainly(plain.path(), script);
    const TempDir scripts = TempDir::Create().value();
    std::ofstream(scripts.path() + "/script") << script;
    REQUIRE(::chmod(scripts.path().c_str(), 0755) == 0);
    const int64_t started = Bench::NextTick();
    SandboxSpec spec = MakeSpec({"/bin/bash", "/scripts/script"});
    spec.mounts = {{.source = bench.workspace.path(),
                    .target = "/workspace",
                    .access = Access::kTransactional},
                   {.source = scripts.path(), .target = "/scripts"}};
    spec.working_directory = "/workspace";
    LayerIo io;
    const Outcome outcome = SharedSandbox().Run(spec, io, CancelToken()).value();
    REQUIRE(outcome.kind == OutcomeKind::kExited);
    Bench::Call call{std::move(*io.layer), started, {}};
    call.diff = call.layer.ReadDiff(bench.root, bench.limits).value();
    REQUIRE(call.diff.refusals.empty());
    if (!call.diff.changes.empty()) {
      REQUIRE(bench.Commit("random", call).empty());
    }
    for (const auto& [each, what] : Snapshot(plain.path())) {
      CAPTURE(EncodePath(each));
      REQUIRE(Snapshot(bench.workspace.path())[each] == what);
    }
    REQUIRE(Snapshot(bench.workspace.path()).size() == Snapshot(plain.path()).size());
    if (!call.diff.changes.empty()) {
      REQUIRE(bench.log->Undo("random", 2).value().empty());
    }
    REQUIRE(Snapshot(bench.workspace.path()) == before);
  }
}

}  // namespace
}  // namespace nacre::sandbox
