// What a call sees: files, identity, environment, descriptors, network.
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <fstream>
#include <functional>
#include <thread>

#include "base/temp_dir.h"
#include "tests/support/sandbox_runner.h"
#include "tests/support/skip.h"

namespace nacre::sandbox {
namespace {

void Put(const std::string& path, const std::string& content, mode_t mode = 0600) {
  std::ofstream(path) << content;
  REQUIRE(::chmod(path.c_str(), mode) == 0);
}

std::string Get(const std::string& path) {
  return ReadFile(path, 1 << 20).value();
}

Mount Workspace(const std::string& source) {
  return {.source = source, .target = "/workspace", .access = Access::kReadWrite};
}

TEST_CASE("the environment is exactly the spec's") {
  REQUIRE(::setenv("NACRE_TEST_SECRET", "secret", 1) == 0);
  SandboxSpec spec = MakeSpec({"/usr/bin/env"});
  spec.environment = {{"A", "1"}, {"B", "two words"}};
  CHECK(RunSpec(spec).output == "A=1\nB=two words\n");
}

TEST_CASE("a program is born with descriptors 0 to 3 and no other") {
  const UniqueFd leaked(::open("/", O_RDONLY));  // deliberately without O_CLOEXEC
  const Outcome outcome = RunSpec(Shell("for f in /proc/self/fd/*; do echo ${f##*/}; done"));
  // The glob itself is descriptor 4 or up while the shell lists, so ask for what can be read.
  const Outcome links =
      RunSpec(Shell("readlink /proc/self/fd/0 /proc/self/fd/1 /proc/self/fd/2 "
                    "/proc/self/fd/3 /proc/self/fd/4 /proc/self/fd/5 | cut -d: -f1"));
  CHECK(links.output == "pipe\npipe\npipe\npipe\n");
  CHECK(outcome.output.starts_with("0\n1\n2\n3\n"));
}

TEST_CASE("a call is uid 1000 inside, without groups, and never root outside") {
  const Outcome outcome = RunSpec(Shell("id -u; id -g; cat /proc/self/uid_map"));
  const uid_t outside = ::geteuid() == 0 ? 65534 : ::geteuid();
  std::istringstream lines(outcome.output);
  unsigned uid = 0;
  unsigned gid = 0;
  unsigned inside = 0;
  unsigned mapped = 0;
  unsigned count = 0;
  lines >> uid >> gid >> inside >> mapped >> count;
  CHECK(uid == 1000);
  CHECK(gid == 1000);
  CHECK(inside == 1000);
  CHECK(count == 1);
  CHECK(mapped == outside);
}

// A careful runtime hides its memory; its files in /proc are then root's.
TEST_CASE("a runtime that is not dumpable can run calls") {
  REQUIRE(::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0);
  const Outcome outcome = RunSpec(Shell("id -u"));
  REQUIRE(::prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) == 0);
  CHECK(outcome.setup_step.empty());
  CHECK(outcome.output == "1000\n");
  CHECK(outcome.layers.namespaces.size() ==
        (SharedSandbox().host().time_namespace ? kNamespaceCount : kNamespaceCount - 1));
}

TEST_CASE("a workspace can be written and what is made there belongs to its owner") {
  const TempDir folder = TempDir::Create().value();
  Put(folder.path() + "/private.txt", "private\n", 0600);
  SandboxSpec spec = Shell("cat private.txt; echo new > made.txt; mkdir d; echo x > d/y");
  spec.mounts = {Workspace(folder.path())};
  spec.working_directory = "/workspace";
  const Outcome outcome = RunSpec(spec);
  CHECK(outcome.exit_code == 0);
  CHECK(outcome.output == "private\n");
  CHECK(Get(folder.path() + "/made.txt") == "new\n");
  struct stat info = {};
  REQUIRE(::stat((folder.path() + "/made.txt").c_str(), &info) == 0);
  CHECK(info.st_uid == ::geteuid());
  CHECK(info.st_gid == ::getegid());
}

TEST_CASE("a read-only mount cannot be written") {
  const TempDir folder = TempDir::Create().value();
  Put(folder.path() + "/f", "old");
  SandboxSpec spec = Shell("echo x > /data/f; echo x > /data/new; rm -f /data/f; cat /data/f");
  spec.mounts = {{.source = folder.path(), .target = "/data"}};
  const Outcome outcome = RunSpec(spec);
  CHECK(outcome.output == "old");
  CHECK(Get(folder.path() + "/f") == "old");
}

TEST_CASE("the system and the root are read-only") {
  const Outcome outcome =
      RunSpec(Shell("for p in /x /usr/x /etc/x /dev/x /bin/x /proc/x; do (echo x > $p) 2>/dev/null "
                    "&& echo $p; done"));
  CHECK(outcome.output.empty());
}

TEST_CASE("nothing can be executed from where a call can write") {
  const TempDir folder = TempDir::Create().value();
  SandboxSpec spec = Shell(
      "for d in /tmp /dev/shm /workspace; do cp /bin/true $d/t; chmod +x $d/t; "
      "$d/t 2>/dev/null && echo ran $d; /lib64/ld-linux-x86-64.so.2 $d/t 2>/dev/null && echo ld "
      "$d; done");
  spec.mounts = {Workspace(folder.path())};
  spec.mounts[0].executable = Executable::kYes;  // must not matter: it is writable
  CHECK(RunSpec(spec).output.empty());
}

TEST_CASE("a read-only mount is executable only when the spec says so") {
  const TempDir folder = TempDir::Create().value();
  Put(folder.path() + "/run", "#!/bin/sh\necho ran\n", 0755);
  REQUIRE(::chmod(folder.path().c_str(), 0755) == 0);
  SandboxSpec spec = MakeSpec({"/opt/run"});
  spec.mounts = {{.source = folder.path(),
                  .target = "/opt",
                  .access = Access::kRead,
                  .executable = Executable::kYes}};
  CHECK(RunSpec(spec).output == "ran\n");
  spec.mounts[0].executable = Executable::kNo;
  CHECK(RunSpec(spec).kind == OutcomeKind::kSetupFailed);
}

TEST_CASE("the most specific mount wins, whatever the order") {
  const TempDir outer = TempDir::Create().value();
  const TempDir inner = TempDir::Create().value();
  REQUIRE(::mkdir((outer.path() + "/sub").c_str(), 0755) == 0);
  Put(outer.path() + "/sub/f", "outer");
  Put(inner.path() + "/f", "inner");
  const Mount wide = Workspace(outer.path());
  const Mount narrow{.source = inner.path(), .target = "/workspace/sub"};
  for (const auto& mounts : {std::vector<Mount>{wide, narrow}, std::vector<Mount>{narrow, wide}}) {
    SandboxSpec spec =
        Shell("cat /workspace/sub/f; echo x > /workspace/sub/g; echo y > /workspace/h");
    spec.mounts = mounts;
    CHECK(RunSpec(spec).output == "inner");
    CHECK(Get(outer.path() + "/h") == "y\n");
    CHECK(::access((inner.path() + "/g").c_str(), F_OK) != 0);
  }
}

TEST_CASE("a hidden file reads as empty and a hidden directory as empty") {
  const TempDir folder = TempDir::Create().value();
  REQUIRE(::mkdir((folder.path() + "/secrets").c_str(), 0755) == 0);
  Put(folder.path() + "/secrets/key", "key");
  Put(folder.path() + "/.env", "TOKEN=1");
  SandboxSpec spec = Shell(
      "cat .env; ls secrets; cat secrets/key 2>/dev/null; echo x > .env; rm -f .env; "
      "mv secrets elsewhere; cat elsewhere/key; ln .env copy; cat copy");
  spec.mounts = {Workspace(folder.path())};
  spec.hidden = {"/workspace/.env", "/workspace/secrets", "/workspace/missing", "/usr/missing/x"};
  spec.working_directory = "/workspace";
  const Outcome outcome = RunSpec(spec);
  CHECK(outcome.kind == OutcomeKind::kExited);
  CHECK(outcome.output.empty());
  CHECK(Get(folder.path() + "/.env") == "TOKEN=1");
  CHECK(Get(folder.path() + "/secrets/key") == "key");
}

TEST_CASE("a read-only path below a writable mount cannot be changed, moved or replaced") {
  const TempDir folder = TempDir::Create().value();
  REQUIRE(::mkdir((folder.path() + "/.git").c_str(), 0755) == 0);
  REQUIRE(::mkdir((folder.path() + "/.git/hooks").c_str(), 0755) == 0);
  Put(folder.path() + "/.git/hooks/post", "good");
  SandboxSpec spec = Shell(
      "cat .git/hooks/post; echo evil > .git/hooks/post; rm -rf .git/hooks; mv .git/hooks .git/h; "
      "mv .git .old && mkdir -p .git/hooks && echo evil > .git/hooks/post; echo ok > .git/index");
  spec.mounts = {Workspace(folder.path())};
  spec.read_only = {"/workspace/.git/hooks", "/workspace/.missing"};
  spec.working_directory = "/workspace";
  const Outcome outcome = RunSpec(spec);
  CHECK(outcome.output == "good");
  CHECK(Get(folder.path() + "/.git/hooks/post") == "good");
  CHECK(Get(folder.path() + "/.git/index") == "ok\n");
}

TEST_CASE("a read-only path that is a symlink fails the set-up: what it guards could be swapped") {
  const TempDir folder = TempDir::Create().value();
  REQUIRE(::symlink("/usr", (folder.path() + "/config").c_str()) == 0);
  SandboxSpec spec = Shell("echo ran");
  spec.mounts = {Workspace(folder.path())};
  spec.read_only = {"/workspace/config"};
  const Outcome outcome = RunSpec(spec);
  CHECK(outcome.kind == OutcomeKind::kSetupFailed);
  CHECK(outcome.setup_errno == ELOOP);
}

TEST_CASE("a mount source that is a symlink or does not exist fails the set-up") {
  const TempDir folder = TempDir::Create().value();
  REQUIRE(::symlink("/etc", (folder.path() + "/link").c_str()) == 0);
  SandboxSpec spec = Shell("echo ran");
  spec.mounts = {Workspace(folder.path() + "/link")};
  CHECK(RunSpec(spec).setup_errno == ELOOP);
  spec.mounts = {Workspace(folder.path() + "/missing")};
  const Outcome outcome = RunSpec(spec);
  CHECK(outcome.kind == OutcomeKind::kSetupFailed);
  CHECK(outcome.setup_errno == ENOENT);
}

TEST_CASE("a single file can be mounted") {
  const TempDir folder = TempDir::Create().value();
  Put(folder.path() + "/f", "content", 0644);
  SandboxSpec spec = Shell("cat /data/config; echo x > /data/config");
  spec.mounts = {{.source = folder.path() + "/f", .target = "/data/config"}};
  CHECK(RunSpec(spec).output == "content");
  CHECK(Get(folder.path() + "/f") == "content");
}

TEST_CASE("there is no network device but loopback, which is down") {
  const Outcome outcome = RunSpec(Shell("cat /proc/self/net/dev | tail -n +3 | cut -d: -f1"));
  CHECK(outcome.output == "    lo\n");
}

TEST_CASE("only the call's own processes are visible") {
  const Outcome outcome =
      RunSpec(Shell("cd /proc; echo [0-9]*; cat /proc/1/environ /proc/1/maps; ls /proc/1/root"));
  CHECK(outcome.output == "2\n");
}

TEST_CASE("what one call leaves in /tmp the next does not see") {
  RunSpec(Shell("echo x > /tmp/left; echo x > /dev/shm/left"));
  CHECK(RunSpec(Shell("ls /tmp /dev/shm | grep left")).output.empty());
}

TEST_CASE("standard input comes from the host and descriptor 3 goes to it") {
  class Echo final : public CallIo {
   public:
    Reply OnStart() override { return {.bytes = "ping\n", .close_input = false}; }
    Reply OnChannelBytes(std::string_view bytes) override {
      heard_ += bytes;
      return {.bytes = "pong\n", .close_input = true};
    }
    std::string heard_;
  };
  Echo io;
  const Outcome outcome =
      SharedSandbox()
          .Run(Shell("read a; echo got $a >&3; read b; echo $b; cat; echo end"), io, CancelToken())
          .value();
  CHECK(io.heard_ == "got ping\n");
  CHECK(outcome.output == "pong\nend\n");
}

TEST_CASE("a call that does not read its input does not block the host") {
  class Flood final : public CallIo {
   public:
    Reply OnStart() override { return {.bytes = std::string(1 << 20, 'x'), .close_input = true}; }
    Reply OnChannelBytes(std::string_view) override { return {}; }
  };
  Flood io;
  CHECK(SharedSandbox().Run(Shell("exit 3"), io, CancelToken()).value().exit_code == 3);
  CHECK(SharedSandbox().Run(Shell("wc -c"), io, CancelToken()).value().output == "1048576\n");
}

TEST_CASE("a peer that breaks the protocol is ended at once") {
  class Strict final : public CallIo {
   public:
    Reply OnStart() override { return {}; }
    Reply OnChannelBytes(std::string_view) override { return {.bytes = {}, .kill = true}; }
  };
  Strict io;
  const Outcome outcome =
      SharedSandbox().Run(Shell("echo junk >&3; sleep 60"), io, CancelToken()).value();
  CHECK(outcome.kind == OutcomeKind::kSignaled);
  CHECK(outcome.signal == SIGKILL);
}

TEST_CASE("ordinary programs run") {
  const auto row = GENERATE(values<std::pair<std::string, std::string>>(
      {{"printf 'b\\na\\n' | sort | tr a-z A-Z", "A\nB\n"},
       {"find /usr/bin -name env | grep -c env", "1\n"},
       {"echo one | sed s/one/two/", "two\n"},
       {"echo '1 2' | awk '{print $1 + $2}'", "3\n"},
       {"mkdir -p /tmp/a/b && cp -a /etc/passwd /tmp/a/b/p && mv /tmp/a/b/p /tmp/q && wc -l < "
        "/tmp/q",
        "3\n"},
       {"tar -C /etc -cf /tmp/t.tar passwd && tar -tf /tmp/t.tar", "passwd\n"},
       {"mkfifo /tmp/f && (echo hi > /tmp/f & cat /tmp/f)", "hi\n"},
       {"echo x > /dev/null; head -c 4 /dev/zero | wc -c", "4\n"},
       {"hostname 2>/dev/null || uname -n", "sandbox\n"}}));
  CAPTURE(row.first);
  const Outcome outcome = RunSpec(Shell(row.first));
  CHECK(outcome.error_output.empty());
  CHECK(outcome.output == row.second);
}

TEST_CASE("python with threads and subprocesses runs") {
  if (::access("/usr/bin/python3", X_OK) != 0) {
    SKIP_HERE("no /usr/bin/python3 on this host");
  }
  const Outcome outcome = RunSpec(MakeSpec(
      {"/usr/bin/python3", "-c",
       "import threading, subprocess, json, tempfile, asyncio, os\n"
       "t = threading.Thread(target=lambda: print('thread', flush=True)); t.start(); t.join()\n"
       "print(subprocess.check_output(['/bin/echo', 'sub']).decode().strip(), flush=True)\n"
       "async def f():\n"
       "  p = await asyncio.create_subprocess_exec('/bin/echo', 'async'); await p.wait()\n"
       "asyncio.run(f())\n"
       "tempfile.NamedTemporaryFile().write(b'x')\n"}));
  CHECK(outcome.error_output.empty());
  CHECK(outcome.output == "thread\nsub\nasync\n");
}

TEST_CASE("git runs in a workspace") {
  if (::access("/usr/bin/git", X_OK) != 0) {
    SKIP_HERE("no /usr/bin/git on this host");
  }
  const TempDir folder = TempDir::Create().value();
  SandboxSpec spec = Shell(
      "git init -q . && echo x > f && git add f && "
      "git -c user.name=a -c user.email=a@b commit -qm first && git log --format=%s && git status "
      "-s");
  spec.mounts = {Workspace(folder.path())};
  spec.working_directory = "/workspace";
  const Outcome outcome = RunSpec(spec);
  CHECK(outcome.error_output.empty());
  CHECK(outcome.output == "first\n");
}

// A call with `change`d spec whose workspace is a file system without id-mapped mounts, owned by
// `owner`; in a mount namespace of this thread's own, so that the host keeps its mounts.
Outcome RunUnmappable(const kernel::Ids& owner, mode_t mode,
                      const std::function<void(SandboxSpec&)>& change) {
  SharedSandbox();
  std::string problem;
  Outcome outcome;
  const TempDir folder = TempDir::Create().value();
  std::thread([&] {
    const std::string path = folder.path();
    if (::unshare(CLONE_NEWNS) != 0 ||
        ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
        ::mount("none", path.c_str(), "ramfs", 0, "mode=0700") != 0) {
      problem = "no private mount namespace";
      return;
    }
    std::ofstream(path + "/file") << "text\n";
    if (::chown(path.c_str(), owner.uid, owner.gid) != 0 || ::chmod(path.c_str(), mode) != 0) {
      problem = "chown";
      return;
    }
    SandboxSpec spec = Shell(
        "cat /workspace/file; echo new 2>/dev/null > /workspace/made && stat -c %u "
        "/workspace/made; "
        "tr -d ' ' < /proc/self/uid_map; tr -d ' ' < /proc/self/gid_map");
    spec.mounts = {Workspace(path)};
    change(spec);
    NoCallIo io;
    auto result = SharedSandbox().Run(spec, io, CancelToken());
    if (!result.ok()) {
      problem = result.error().message;
      return;
    }
    outcome = std::move(result).value();
  }).join();
  INFO(problem);
  REQUIRE(problem.empty());
  return outcome;
}

bool Says(const Outcome& outcome, const std::string& weakness) {
  const auto& all = outcome.layers.weaker;
  return std::any_of(all.begin(), all.end(), [&](const std::string& each) {
    return each.find(weakness) != std::string::npos;
  });
}

TEST_CASE("where a file system has no id-mapped mounts the call runs as its owner and says so") {
  if (::geteuid() != 0) {
    SKIP_HERE("only root's calls are seen through id mappings");
  }
  const Outcome outcome = RunUnmappable({4321, 4321}, 0700, [](SandboxSpec&) {});
  CHECK(outcome.output == "text\n1000\n100043211\n100043211\n");
  CHECK(Says(outcome, "the call runs as the mount's owner"));
  // Not in root's group either, whose files are root's.
  const Outcome of_root_group = RunUnmappable({4321, 0}, 0700, [](SandboxSpec&) {});
  CHECK(of_root_group.output == "text\n1000\n100043211\n1000655341\n");
}

TEST_CASE("a call never runs as the host's root unless the spec names that exception") {
  if (::geteuid() != 0) {
    SKIP_HERE("only root's calls could");
  }
  const Outcome refused = RunUnmappable({0, 0}, 0755, [](SandboxSpec&) {});
  CHECK(refused.kind == OutcomeKind::kSetupFailed);
  CHECK(refused.setup_step.find("require: {id_maps: false}") != std::string::npos);
  CHECK(refused.output.empty());

  const Outcome named =
      RunUnmappable({0, 0}, 0755, [](SandboxSpec& spec) { spec.require.id_maps = false; });
  CHECK(named.output == "text\n1000\n100001\n100001\n");
  CHECK(named.layers.exceptions == std::vector<std::string>{"cgroup", "id_maps"});
  CHECK(Says(named, "the call runs as the host's root"));
}

TEST_CASE("what root owns without id-mapped mounts can be read by nobody, where all may read it") {
  if (::geteuid() != 0) {
    SKIP_HERE("only root's calls are seen through id mappings");
  }
  const auto read_only = [](SandboxSpec& spec) { spec.mounts[0].access = Access::kRead; };
  const Outcome readable = RunUnmappable({0, 0}, 0755, read_only);
  CHECK(readable.output == "text\n1000655341\n1000655341\n");
  CHECK(Says(readable, "the call cannot read what only root may"));
  const Outcome hidden = RunUnmappable({0, 0}, 0700, read_only);
  CHECK(hidden.kind == OutcomeKind::kSetupFailed);
  CHECK(hidden.setup_step.find("require: {id_maps: false}") != std::string::npos);
}

}  // namespace
}  // namespace nacre::sandbox
