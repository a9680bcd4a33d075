// A call's copy of its workspace, without a sandbox: what the copy holds, whatever the workspace
// holds, and what the diff says of what is done to it.
#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <catch2/catch.hpp>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <thread>

#include "base/file.h"
#include "base/temp_dir.h"
#include "sandbox/kernel/tree_copy.h"
#include "sandbox/workspace/call_layer.h"
#include "sandbox/workspace/ownership.h"
#include "sandbox/workspace/transaction_log.h"
#include "tests/support/child.h"
#include "tests/support/diff_text.h"
#include "tests/support/missing_call.h"
#include "tests/support/skip.h"
#include "tests/support/tree_snapshot.h"

namespace nacre::sandbox {
namespace {

namespace fs = std::filesystem;

void Put(const std::string& path, const std::string& content) {
  fs::create_directories(fs::path(path).parent_path());
  std::ofstream(path) << content;
}

UniqueFd Folder(const std::string& path) {
  return UniqueFd(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
}

struct stat StatOf(const std::string& path) {
  struct stat info = {};
  REQUIRE(::lstat(path.c_str(), &info) == 0);
  return info;
}

struct Scene {
  TempDir directory = TempDir::Create().value();
  std::string workspace = directory.path() + "/workspace";
  std::string copy = directory.path() + "/copy";
  kernel::TreeCopyOptions options{.bytes = 1 << 20};

  Scene() {
    fs::create_directory(workspace);
    fs::create_directory(copy);
  }
  // What a test makes unreadable has to go again.
  ~Scene() {
    std::error_code ignored;
    for (const std::string& root : {workspace, copy}) {
      for (const char* name : {"/closed", "/d", "/hidden"}) {
        if (fs::is_directory(fs::symlink_status(root + name, ignored))) {
          fs::permissions(root + name, fs::perms::owner_all, ignored);
        }
      }
    }
  }
  Scene(const Scene&) = delete;
  Scene& operator=(const Scene&) = delete;

  int Copy() const {
    return kernel::CopyTree(Folder(workspace).get(), Folder(copy).get(), options);
  }
  CallLayer Layer() const { return CallLayer::OfCopy(Folder(copy)).value(); }
  CallLayer CopiedLayer() const {
    REQUIRE(Copy() == 0);
    return Layer();
  }
  std::string Diff(const CallLayer& layer) const {
    const TreeRoot root = TreeRoot::Open(workspace).value();
    const std::string text = DiffText(layer.ReadDiff(root, DiffLimits()).value());
    CHECK(layer.IsUntouched(root) == text.empty());
    return text;
  }
};

TEST_CASE("a copy has the names, contents, modes, times, links and holes of the workspace") {
  Scene scene;
  Put(scene.workspace + "/a/b/file", "content");
  Put(scene.workspace + "/program", "#!/bin/sh");
  REQUIRE(::chmod((scene.workspace + "/program").c_str(), 0751) == 0);
  REQUIRE(::chmod((scene.workspace + "/a").c_str(), 0711) == 0);
  Put(scene.workspace + "/\xff\n\"", "odd name");
  fs::create_symlink("/etc/passwd", scene.workspace + "/outside");
  fs::create_symlink("a/b", scene.workspace + "/inside");
  fs::create_hard_link(scene.workspace + "/program", scene.workspace + "/second");
  const std::string sparse = scene.workspace + "/sparse";
  Put(sparse, "begin");
  fs::resize_file(sparse, 500'000);
  std::ofstream(sparse, std::ios::app) << "end";
  const struct timespec times[2] = {{1'000'000, 1}, {2'000'000, 2}};
  for (const char* path : {"/a/b/file", "/a/b", "/outside"}) {
    REQUIRE(::utimensat(AT_FDCWD, (scene.workspace + path).c_str(), times, AT_SYMLINK_NOFOLLOW) ==
            0);
  }
  const CallLayer layer = scene.CopiedLayer();
  CHECK(Snapshot(scene.copy) == Snapshot(scene.workspace));
  for (const char* path : {"/a/b/file", "/a/b", "/outside"}) {
    CHECK(StatOf(scene.copy + path).st_mtim.tv_sec == 2'000'000);
    CHECK(StatOf(scene.copy + path).st_mtim.tv_nsec == 2);
  }
  CHECK(StatOf(scene.copy + "/sparse").st_blocks < 500);
  CHECK(StatOf(scene.copy + "/second").st_nlink == 1);
  CHECK(layer.kind() == LayerKind::kCopy);
  CHECK(scene.Diff(layer).empty());
}

TEST_CASE("what is no file, folder or link is not copied, and not committed over or away") {
  Scene scene;
  REQUIRE(::mkfifo((scene.workspace + "/pipe").c_str(), 0600) == 0);
  fs::create_directory(scene.workspace + "/d");
  REQUIRE(::mkfifo((scene.workspace + "/d/pipe").c_str(), 0600) == 0);
  const CallLayer layer = scene.CopiedLayer();
  CHECK(Snapshot(scene.copy) == TreeSnapshot{{"d", "directory 755"}});
  CHECK(scene.Diff(layer).empty());
  Put(scene.copy + "/pipe", "x");
  fs::remove(scene.copy + "/d");
  CHECK(scene.Diff(layer) ==
        "-d\n!pipe: takes the place of a device, FIFO or socket\n"
        "!d/pipe: takes the place of a device, FIFO or socket\n");
}

TEST_CASE("which owners a process may give to its files") {
  const GivableOwners ordinary({.uid = 1000, .gid = 100}, {100, 33});
  CHECK(ordinary.MayGive({.uid = 1000, .gid = 100}));
  CHECK(ordinary.MayGive({.uid = 1000, .gid = 33}));
  CHECK_FALSE(ordinary.MayGive({.uid = 1000, .gid = 34}));
  CHECK_FALSE(ordinary.MayGive({.uid = 0, .gid = 100}));
  CHECK_FALSE(ordinary.IsOnly({.uid = 1000, .gid = 100}));
  const GivableOwners alone({.uid = 1000, .gid = 100}, {100});
  CHECK(alone.IsOnly({.uid = 1000, .gid = 100}));
  CHECK_FALSE(alone.IsOnly({.uid = 1000, .gid = 33}));
  const GivableOwners root({.uid = 0, .gid = 0}, {}, kernel::Standing::kRoot);
  CHECK(root.MayGive({.uid = 1000, .gid = 34}));
  CHECK_FALSE(root.IsOnly({.uid = 0, .gid = 0}));
}

// In a container 65534 may be an account, and is what all look like whom the container does not know.
TEST_CASE("an owner whom this user namespace may not know is none to give a file to") {
  const kernel::Unmapped both{.uid = 65534, .gid = 65533};
  const GivableOwners root({.uid = 0, .gid = 0}, {}, kernel::Standing::kRoot, both);
  CHECK(root.MayGive({.uid = 1000, .gid = 34}));
  CHECK_FALSE(root.MayGive({.uid = 65534, .gid = 34}));
  CHECK_FALSE(root.MayGive({.uid = 1000, .gid = 65533}));
  CHECK(root.MayGive({.uid = 65533, .gid = 65534}));
  const GivableOwners user({.uid = 1000, .gid = 100}, {65533, 33}, kernel::Standing::kUser, both);
  CHECK(user.MayGive({.uid = 1000, .gid = 33}));
  CHECK_FALSE(user.MayGive({.uid = 1000, .gid = 65533}));
  const GivableOwners host({.uid = 0, .gid = 0}, {}, kernel::Standing::kRoot);
  CHECK(host.MayGive({.uid = 65534, .gid = 65534}));
  CHECK(kernel::MapsEveryId("         0          0 4294967295\n"));
  CHECK(kernel::MapsEveryId("0 5 1000\n1000 9000 4294966295\n"));
  CHECK_FALSE(kernel::MapsEveryId("0 100000 65536\n"));
  CHECK_FALSE(kernel::MapsEveryId("0 0 4294967294\n"));
  CHECK_FALSE(kernel::MapsEveryId(""));
}

TEST_CASE("in a user namespace that leaves out ids their owners are none to give a file to") {
  if (::geteuid() != 0) {
    SKIP_HERE("only root can map many ids");
  }
  Scene scene;
  Put(scene.workspace + "/file", "content");
  const std::string file = scene.workspace + "/file";
  REQUIRE(::chown(file.c_str(), 4242, 4242) == 0);
  const std::string said = InChild([&]() -> std::string {
    const pid_t self = ::getpid();
    Pipe pipe = MakePipe().value();
    const pid_t outside = ::fork();
    if (outside == 0) {
      char byte = 0;
      (void)!::read(pipe.read.get(), &byte, 1);
      for (const char* map : {"/uid_map", "/gid_map"}) {
        std::ofstream("/proc/" + std::to_string(self) + map) << "0 0 1000\n65534 65534 1\n";
      }
      ::_exit(0);
    }
    if (::unshare(CLONE_NEWUSER) != 0) {
      return "SKIPPED";
    }
    (void)!::write(pipe.write.get(), "x", 1);
    ::waitpid(outside, nullptr, 0);
    struct stat info = {};
    if (::lstat(file.c_str(), &info) != 0) {
      return "no file";
    }
    const GivableOwners givable = GivableOwners::OfThisProcess();
    std::string text = std::to_string(info.st_uid);
    text += givable.MayGive({.uid = info.st_uid, .gid = info.st_gid}) ? " given" : " not given";
    text += givable.MayGive({.uid = 7, .gid = 7}) ? ", 7 given" : ", 7 not given";
    return text;
  });
  if (said == "SKIPPED") {
    SKIP_HERE("no user namespaces");
  }
  CHECK(said == "65534 not given, 7 given");
}

const CancelToken kNeverCancelled;
const Patience kPatient{.cancel = kNeverCancelled,
                        .until = std::chrono::steady_clock::time_point::max()};

TEST_CASE("a workspace is better copied when it holds what a commit can give back, and fits") {
  Scene scene;
  Put(scene.workspace + "/a/file", "content");
  const kernel::Ids owner{.uid = ::geteuid(), .gid = ::getegid()};
  const kernel::Ids other{.uid = owner.uid, .gid = owner.gid + 1};
  // What the folder holds is `owner`'s; seen from `other` it is another's that may be given.
  const GivableOwners both(other, {owner.gid});
  // A page and a half for the file, half a page for its folder.
  const CopyRoom room{.bytes = 8192, .entries = 2};
  CHECK_FALSE(IsBetterCopied(scene.workspace, owner, both, room, kPatient));
  CHECK(IsBetterCopied(scene.workspace, other, both, room, kPatient));
  CHECK_FALSE(
      IsBetterCopied(scene.workspace, other, both, {.bytes = 8191, .entries = 2}, kPatient));
  CHECK_FALSE(
      IsBetterCopied(scene.workspace, other, both, {.bytes = 8192, .entries = 1}, kPatient));
  CHECK_FALSE(IsBetterCopied(scene.workspace + "/none", other, both, room, kPatient));
  const GivableOwners stranger({.uid = owner.uid + 1, .gid = owner.gid + 1}, {owner.gid});
  CHECK_FALSE(IsBetterCopied(scene.workspace, other, stranger, room, kPatient));
  std::string deep = scene.workspace;
  for (int depth = 0; depth < 130; ++depth) {
    deep += "/d";
  }
  fs::create_directories(deep);
  CHECK_FALSE(
      IsBetterCopied(scene.workspace, other, both, {.bytes = 1 << 20, .entries = 1000}, kPatient));
}

TEST_CASE("a workspace is looked through no longer than its call may take") {
  Scene scene;
  Put(scene.workspace + "/file", "content");
  const kernel::Ids owner{.uid = ::geteuid(), .gid = ::getegid()};
  const kernel::Ids other{.uid = owner.uid, .gid = owner.gid + 1};
  const GivableOwners both(other, {owner.gid});
  const CopyRoom room{.bytes = 8192, .entries = 2};
  CancelSource source;
  const CancelToken token = source.token();
  const Patience cancellable{.cancel = token, .until = kPatient.until};
  const Patience late{.cancel = kNeverCancelled, .until = std::chrono::steady_clock::now()};
  CHECK(IsBetterCopied(scene.workspace, other, both, room, cancellable));
  CHECK_FALSE(IsBetterCopied(scene.workspace, other, both, room, late));
  source.Cancel();
  CHECK_FALSE(IsBetterCopied(scene.workspace, other, both, room, cancellable));
}

// Unless its content went into a file of our own, which took its place.
TEST_CASE("a file that could not be given back to its owner is refused by name") {
  if (::geteuid() != 0) {
    SKIP_HERE("only root can make another user's file");
  }
  Scene scene;
  Put(scene.workspace + "/theirs", "old");
  Put(scene.workspace + "/also", "old");
  Put(scene.workspace + "/group", "old");
  const auto give = [&](const char* name, uid_t uid, gid_t gid) {
    REQUIRE(::chown((scene.workspace + name).c_str(), uid, gid) == 0);
    REQUIRE(::chmod((scene.workspace + name).c_str(), 0666) == 0);
  };
  give("/theirs", 64322, 64321);
  give("/also", 64322, 64321);
  give("/group", 64321, 64399);
  for (const std::string& folder : {scene.directory.path(), scene.workspace, scene.copy}) {
    REQUIRE(::chown(folder.c_str(), 64321, 64321) == 0);
  }
  const std::string said = InChild([&] {
    if (::setgroups(0, nullptr) != 0 || ::setresgid(64321, 64321, 64321) != 0 ||
        ::setresuid(64321, 64321, 64321) != 0 || scene.Copy() != 0) {
      return std::string("no copy");
    }
    const CallLayer layer = scene.Layer();
    Put(scene.copy + "/theirs", "new");
    Put(scene.copy + "/group", "new");
    Put(scene.copy + "/new", "new");
    fs::rename(scene.copy + "/new", scene.copy + "/also");
    const Diff diff = layer.ReadDiff(TreeRoot::Open(scene.workspace).value(), DiffLimits()).value();
    std::string text = DiffText(diff);
    for (const Change& each : diff.changes) {
      text += std::to_string(each.after.uid) + ":" + std::to_string(each.after.gid) + "\n";
    }
    return text;
  });
  CHECK(
      said ==
      "~also\n!group: belongs to another user or group, to whom a new version could not be given\n"
      "!theirs: belongs to another user or group, to whom a new version could not be given\n"
      "64321:64321\n");
}

// A server that trusts no root refuses what root may do elsewhere.
TEST_CASE("what is new and could not be given to its owner is told, at a commit and its undo") {
  if (::geteuid() != 0) {
    SKIP_HERE("only root gives files to others");
  }
  Scene scene;
  Put(scene.workspace + "/gone", "old");
  for (const char* name : {"", "/gone"}) {
    REQUIRE(::chown((scene.workspace + name).c_str(), 4242, 4243) == 0);
  }
  const CallLayer layer = scene.CopiedLayer();
  Put(scene.copy + "/folder/file", "new");
  fs::create_symlink("folder", scene.copy + "/link");
  fs::remove(scene.copy + "/gone");
  const std::string said = InChild([&] {
    const TreeRoot root = TreeRoot::Open(scene.workspace).value();
    const Diff diff = layer.ReadDiff(root, DiffLimits()).value();
    auto log = TransactionLog::Open(scene.directory.path() + "/log").value();
    std::string text;
    const auto name = [&](const std::vector<Conflict>& all) {
      for (const Conflict& each : all) {
        text += each.path + " " + each.reason + "\n";
      }
    };
    if (!TakeAwayCall(SYS_fchown, EPERM) || !TakeAwayCall(SYS_fchownat, EPERM)) {
      return std::string("no filter");
    }
    const std::vector<Conflict> conflicts =
        log->Commit({.id = "one",
                     .workspace = scene.workspace,
                     .root = root,
                     .after = layer.tree(),
                     .diff = diff,
                     .started_ns = CallClock(),
                     .now_ms = 1,
                     .note = {},
                     .in_step = {.before = {}, .after = {}, .misowned = name}})
            .value();
    text += std::to_string(conflicts.size()) + " conflicts\n";
    text += std::to_string(
        log->Undo("one", 2, {.before = {}, .after = {}, .misowned = name}).value().size());
    return text;
  });
  CHECK(said ==
        "folder belongs to 0:0 and not to 4242:4243\n"
        "folder/file belongs to 0:0 and not to 4242:4243\n"
        "link belongs to 0:0 and not to 4242:4243\n"
        "0 conflicts\n"
        "gone belongs to 0:0 and not to 4242:4243\n"
        "0");
}

TEST_CASE("what is hidden, or what its owner may not read, is withheld from the copy") {
  Scene scene;
  Put(scene.workspace + "/hidden/secret", "secret");
  Put(scene.workspace + "/key", "secret");
  Put(scene.workspace + "/d/key", "not hidden");
  Put(scene.workspace + "/unreadable", "secret");
  Put(scene.workspace + "/closed/in", "secret");
  REQUIRE(::chmod((scene.workspace + "/unreadable").c_str(), 0) == 0);
  REQUIRE(::chmod((scene.workspace + "/closed").c_str(), 0) == 0);
  scene.options.is_hidden = [](const void*, const char* path) {
    return std::strcmp(path, "hidden") == 0 || std::strcmp(path, "key") == 0;
  };
  const CallLayer layer = scene.CopiedLayer();
  for (const char* path : {"/hidden", "/key", "/unreadable", "/closed"}) {
    CAPTURE(path);
    CHECK((StatOf(scene.copy + path).st_mode & 07777) == 0);
  }
  CHECK(StatOf(scene.copy + "/key").st_size == 0);
  CHECK(StatOf(scene.copy + "/unreadable").st_size == 0);
  CHECK(ReadFile(scene.copy + "/d/key", 100).value() == "not hidden");
  CHECK(scene.Diff(layer).empty());
  // An empty stand-in that is written to must not take the place of what it stands for.
  REQUIRE(::chmod((scene.copy + "/unreadable").c_str(), 0644) == 0);
  std::ofstream(scene.copy + "/unreadable") << "x";
  REQUIRE(::chmod((scene.copy + "/closed").c_str(), 0755) == 0);
  Put(scene.copy + "/closed/new", "x");
  CHECK(scene.Diff(layer) ==
        "!closed: changes what could not be copied for the call\n"
        "!unreadable: changes what could not be copied for the call\n");
}

TEST_CASE("a workspace beyond the bounds of a copy is refused, and says which") {
  Scene scene;
  Put(scene.workspace + "/a", std::string(1000, 'x'));
  Put(scene.workspace + "/b", std::string(1000, 'x'));
  scene.options.bytes = 1999;
  CHECK(scene.Copy() == -EFBIG);
  fs::remove(scene.workspace + "/b");
  fs::remove(scene.copy + "/a");
  fs::resize_file(scene.workspace + "/a", 1'000'000'000'000);  // takes nothing, and is too large
  CHECK(scene.Copy() == -EFBIG);
  fs::remove(scene.workspace + "/a");
  std::string deep = scene.workspace;
  for (int i = 0; i < 130; ++i) {
    deep += "/x";
  }
  fs::create_directories(deep);
  CHECK(scene.Copy() == -ELOOP);
}

TEST_CASE("the diff of a copy is what the call did, of every kind") {
  Scene scene;
  for (const char* name : {"/changed", "/deleted", "/tree/a/b", "/tree/c", "/was-file", "/mode",
                           "/was-folder/in", "/moved/in", "/again/old", "/again/kept", "/old-name",
                           "/mapped", "/touched", "/same", "/cut"}) {
    Put(scene.workspace + name, "content");
  }
  fs::create_symlink("changed", scene.workspace + "/link");
  const CallLayer layer = scene.CopiedLayer();
  const std::string& at = scene.copy;
  std::ofstream(at + "/changed") << "CONTENT";
  fs::remove(at + "/deleted");
  fs::remove_all(at + "/tree");
  fs::remove(at + "/was-file");
  Put(at + "/was-file/in", "x");
  REQUIRE(::chmod((at + "/mode").c_str(), 0755) == 0);
  fs::remove_all(at + "/was-folder");
  Put(at + "/was-folder", "x");
  fs::rename(at + "/moved", at + "/new-place");
  fs::remove_all(at + "/again");
  Put(at + "/again/kept", "other");
  fs::rename(at + "/old-name", at + "/new-name");
  fs::create_hard_link(at + "/same", at + "/second-name");
  REQUIRE(::utimensat(AT_FDCWD, (at + "/touched").c_str(), nullptr, 0) == 0);
  REQUIRE(::truncate((at + "/cut").c_str(), 3) == 0);
  fs::remove(at + "/link");
  fs::create_symlink("mode", at + "/link");
  CHECK(scene.Diff(layer) ==
        "~again/kept\n-again/old\n~changed\n~cut\n-deleted\n~link\n~mode\n-moved\n-moved/in\n"
        "+new-name\n+new-place\n+new-place/in\n-old-name\n+second-name\n=touched\n-tree\n-tree/a\n"
        "-tree/a/b\n-tree/c\n~was-file\n+was-file/in\n~was-folder\n-was-folder/in\n");
}

TEST_CASE("a change through a mapping counts, also one that leaves size and times") {
  Scene scene;
  Put(scene.workspace + "/mapped", "content");
  const CallLayer layer = scene.CopiedLayer();
  const struct stat before = StatOf(scene.copy + "/mapped");
  const UniqueFd file(::open((scene.copy + "/mapped").c_str(), O_RDWR | O_CLOEXEC));
  void* const bytes = ::mmap(nullptr, 7, PROT_READ | PROT_WRITE, MAP_SHARED, file.get(), 0);
  REQUIRE(bytes != MAP_FAILED);
  std::memcpy(bytes, "CONTENT", 7);
  ::munmap(bytes, 7);
  const struct timespec times[2] = {before.st_atim, before.st_mtim};
  REQUIRE(::futimens(file.get(), times) == 0);
  CHECK(scene.Diff(layer) == "~mapped\n");
}

TEST_CASE("what others change in the workspace meanwhile is no change of the call") {
  Scene scene;
  for (const char* name : {"/theirs", "/gone", "/ours", "/d/in"}) {
    Put(scene.workspace + name, "content");
  }
  const CallLayer layer = scene.CopiedLayer();
  std::ofstream(scene.workspace + "/theirs") << "changed";
  fs::remove(scene.workspace + "/gone");
  Put(scene.workspace + "/d/new", "new");
  CHECK(scene.Diff(layer).empty());
  std::ofstream(scene.copy + "/ours") << "changed";
  CHECK(scene.Diff(layer) == "~ours\n");
}

TEST_CASE("what a hostile call leaves in a copy is refused by name") {
  Scene scene;
  Put(scene.workspace + "/theirs", "x");
  REQUIRE(::chmod((scene.workspace + "/theirs").c_str(), 04755) == 0);
  const CallLayer layer = scene.CopiedLayer();
  CHECK(scene.Diff(layer).empty());  // it was there before
  Put(scene.copy + "/program", "x");
  REQUIRE(::chmod((scene.copy + "/program").c_str(), 04755) == 0);
  REQUIRE(::mkfifo((scene.copy + "/fifo").c_str(), 0600) == 0);
  fs::create_directory(scene.copy + "/d");
  Put(scene.copy + "/d/in", "x");
  REQUIRE(::chmod((scene.copy + "/d").c_str(), 0) == 0);
  CHECK(scene.Diff(layer) ==
        "+d\n+d/in\n!fifo: a device, FIFO or socket\n!program: a setuid or setgid program\n");
}

TEST_CASE("a workspace whose entries are swapped while it is copied gives nothing from outside") {
  Scene scene;
  const std::string outside = scene.directory.path() + "/outside";
  Put(outside + "/in", "outside");
  Put(outside + "/file", "outside");
  Put(scene.workspace + "/d/in", "inside");
  Put(scene.workspace + "/file", "inside");
  std::atomic<bool> stop = false;
  std::thread swapper([&] {
    const std::string spare = scene.directory.path() + "/spare";
    while (!stop) {
      for (const char* name : {"/d", "/file"}) {
        // A link to outside takes the entry's place for a moment.
        (void)!::symlink((outside + name).c_str(), spare.c_str());
        ::renameat2(AT_FDCWD, spare.c_str(), AT_FDCWD, (scene.workspace + name).c_str(), 2);
        ::renameat2(AT_FDCWD, spare.c_str(), AT_FDCWD, (scene.workspace + name).c_str(), 2);
        ::unlink(spare.c_str());
      }
    }
  });
  size_t copied = 0;
  for (int i = 0; i < 100; ++i) {
    fs::remove_all(scene.copy);
    fs::create_directory(scene.copy);
    const int result = scene.Copy();
    const TreeSnapshot snapshot = result == 0 ? Snapshot(scene.copy) : TreeSnapshot();
    copied += result == 0 ? 1 : 0;
    for (const auto& [path, what] : snapshot) {
      if (what.ends_with(" outside")) {
        stop = true;
        swapper.join();
        FAIL(path + " is from outside");
      }
    }
  }
  stop = true;
  swapper.join();
  CHECK(copied > 0);
}

TEST_CASE("a copy is committed as an overlay is, and a later change by others is a conflict") {
  Scene scene;
  Put(scene.workspace + "/file", "old");
  Put(scene.workspace + "/d/in", "in");
  ::usleep(12'000);  // a tick, for kernels whose stamps are no finer
  const int64_t started = CallClock();
  const CallLayer layer = scene.CopiedLayer();
  std::ofstream(scene.copy + "/file") << "new";
  fs::remove_all(scene.copy + "/d");
  const TreeRoot root = TreeRoot::Open(scene.workspace).value();
  const auto log = TransactionLog::Open(scene.directory.path() + "/log").value();
  const auto commit = [&](const std::string& id) {
    const Diff diff = layer.ReadDiff(root, DiffLimits()).value();
    return log
        ->Commit({.id = id,
                  .workspace = scene.workspace,
                  .root = root,
                  .after = layer.tree(),
                  .diff = diff,
                  .started_ns = started,
                  .now_ms = 1,
                  .note = {}})
        .value();
  };
  const TreeSnapshot before = Snapshot(scene.workspace);
  CHECK(commit("first").empty());
  CHECK(Snapshot(scene.workspace) == TreeSnapshot{{"file", "file 644 new"}});
  CHECK(log->Undo("first", 2).value().empty());
  CHECK(Snapshot(scene.workspace) == before);
  CHECK(commit("second").size() == 3);  // the undo came while the call ran
  CHECK(Snapshot(scene.workspace) == before);
}

}  // namespace
}  // namespace nacre::sandbox
