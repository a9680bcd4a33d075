// Each escape ever thought of is a small program in probes/: here they are let loose.
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cstring>
#include <fstream>
#include <thread>

#include "base/temp_dir.h"
#include "tests/support/sandbox_runner.h"
#include "tests/support/skip.h"

namespace nacre::sandbox {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// A workspace to write to, a read-only mount, and a host file that everyone may read, unmounted.
class Arena {
 public:
  Arena()
      : workspace_(TempDir::Create().value()),
        read_only_(TempDir::Create().value()),
        host_(TempDir::Create().value()) {
    ::chmod(host_.path().c_str(), 0755);
    std::ofstream(read_only_.path() + "/file") << "untouched";
    std::ofstream(canary()) << "host secret";
    ::chmod(canary().c_str(), 0644);
    ::setenv("NACRE_TEST_SECRET", "secret", 1);
  }

  std::string canary() const { return host_.path() + "/canary"; }
  const std::string& workspace() const { return workspace_.path(); }
  const std::string& read_only() const { return read_only_.path(); }

  SandboxSpec Spec(const std::string& probe, std::vector<std::string> arguments = {}) const {
    std::vector<std::string> argv = {"/probes/" + probe};
    argv.insert(argv.end(), arguments.begin(), arguments.end());
    SandboxSpec spec = MakeSpec(argv);
    spec.mounts = {{.source = NACRE_PROBES,
                    .target = "/probes",
                    .access = Access::kRead,
                    .executable = Executable::kYes},
                   {.source = workspace(), .target = "/workspace", .access = Access::kReadWrite},
                   {.source = read_only(), .target = "/readonly"}};
    spec.working_directory = "/workspace";
    return spec;
  }

 private:
  TempDir workspace_;
  TempDir read_only_;
  TempDir host_;
};

void CheckContained(const Outcome& outcome) {
  CAPTURE(Describe(outcome), outcome.output, outcome.error_output);
  CHECK(outcome.kind == OutcomeKind::kExited);
  CHECK(outcome.exit_code == 0);
}

TEST_CASE("an attack on the sandbox is contained") {
  const std::string probe =
      GENERATE("hardlink", "proc_init", "proc_system", "ptrace", "userns", "mount", "sockets",
               "keyring", "kernel_surface", "host_control", "terminal", "memfd_exec",
               "exec_writable", "setid_bits", "devices", "privileges", "open_by_handle",
               "write_readonly", "environment", "self_exe", "ipc", "priorities");
  CAPTURE(probe);
  const Arena arena;
  CheckContained(RunSpec(arena.Spec(probe)));
  CHECK(ReadFile(arena.read_only() + "/file", 100).value() == "untouched");
}

TEST_CASE("a host file that is not mounted is out of reach by any path") {
  const Arena arena;
  const std::string probe = GENERATE("dotdot", "symlink");
  CAPTURE(probe);
  CheckContained(RunSpec(arena.Spec(probe, {arena.canary()})));
}

TEST_CASE("a process of the host is out of reach") {
  const Arena arena;
  CheckContained(RunSpec(arena.Spec("kill_outside", {std::to_string(::getpid())})));
}

// Listening on the host: a socket file inside the mounted workspace, and an abstract name.
TEST_CASE("unix sockets of the host are out of reach, mounted or abstract") {
  const Arena arena;
  const std::string name = "nacre-test-" + std::to_string(::getpid());
  struct sockaddr_un path = {};
  path.sun_family = AF_UNIX;
  std::strncpy(path.sun_path, (arena.workspace() + "/host.sock").c_str(), sizeof path.sun_path - 1);
  struct sockaddr_un abstract = {};
  abstract.sun_family = AF_UNIX;
  std::strncpy(abstract.sun_path + 1, name.c_str(), sizeof abstract.sun_path - 2);
  const auto abstract_size =
      static_cast<socklen_t>(offsetof(struct sockaddr_un, sun_path) + 1 + name.size());
  for (const int type : {SOCK_STREAM, SOCK_DGRAM}) {
    ::unlink(path.sun_path);
    const UniqueFd file(::socket(AF_UNIX, type | SOCK_CLOEXEC, 0));
    const UniqueFd named(::socket(AF_UNIX, type | SOCK_CLOEXEC, 0));
    REQUIRE(::bind(file.get(), reinterpret_cast<struct sockaddr*>(&path), sizeof path) == 0);
    REQUIRE(::bind(named.get(), reinterpret_cast<struct sockaddr*>(&abstract), abstract_size) == 0);
    if (type == SOCK_STREAM) {
      REQUIRE(::listen(file.get(), 8) == 0);
      REQUIRE(::listen(named.get(), 8) == 0);
    }
    ::chmod(path.sun_path, 0777);
    CheckContained(RunSpec(arena.Spec("named_unix", {name})));
  }
}

TEST_CASE("system calls of a foreign architecture are a violation") {
#ifdef __x86_64__
  const Arena arena;
  const std::string probe = GENERATE("x32", "i386");
  CAPTURE(probe);
  const Outcome outcome = RunSpec(arena.Spec(probe));
  CAPTURE(outcome.output);
  CHECK(outcome.kind == OutcomeKind::kViolation);
#else
  SKIP_HERE("not x86-64");
#endif
}

TEST_CASE("a daemon dies with its call") {
  const Arena arena;
  CheckContained(RunSpec(arena.Spec("daemon")));
  const std::string alive = arena.workspace() + "/alive";
  struct stat before = {};
  struct stat after = {};
  REQUIRE(::stat(alive.c_str(), &before) == 0);
  // Another whole call, in which a daemon that lived would have written a dozen times.
  RunSpec(Shell("sleep 0.05"));
  REQUIRE(::stat(alive.c_str(), &after) == 0);
  CHECK(after.st_size == before.st_size);
}

// Every bomb on a host with cgroups, if it has them, and without.
TEST_CASE("a call that takes more than it may is ended with the outcome that says so") {
  struct Row {
    const char* probe;
    OutcomeKind kind;
  };
  const Row row = GENERATE(values<Row>({{"fork_bomb", OutcomeKind::kTasksExceeded},
                                        {"thread_bomb", OutcomeKind::kTasksExceeded},
                                        {"memory_hog", OutcomeKind::kOutOfMemory},
                                        {"shared_memory_hog", OutcomeKind::kOutOfMemory},
                                        {"disk_flood", OutcomeKind::kDiskExceeded},
                                        {"inode_flood", OutcomeKind::kDiskExceeded},
                                        {"exec_storm", OutcomeKind::kTimedOut}}));
  const bool with_cgroup = GENERATE(true, false);
  CAPTURE(row.probe, with_cgroup);
  HostSupport host = SharedSandbox().host();
  if (!with_cgroup) {
    host.cgroup = {};
  }
  const auto sandbox = KernelSandbox::Create(host).value();
  const Arena arena;
  NoCallIo io;
  // The sandbox keeps the id mappings that it made for the mounts of a first call.
  REQUIRE(sandbox->Run(arena.Spec("ipc"), io, CancelToken()).value().kind == OutcomeKind::kExited);
  sandbox->Settle();
  const HostState before = LookAtHost();
  SandboxSpec spec = arena.Spec(row.probe);
  spec.limits.tasks = 24;
  spec.limits.memory_bytes = 96ULL << 20;
  spec.limits.disk_bytes = 16ULL << 20;
  if (row.kind == OutcomeKind::kTimedOut) {
    spec.limits.wall = milliseconds(300);
  }
  const Outcome outcome = sandbox->Run(spec, io, CancelToken()).value();
  CAPTURE(Describe(outcome), outcome.output);
  CHECK(outcome.kind == row.kind);
  CHECK(outcome.use.wall < seconds(15));
  sandbox->Settle();
  CHECK(LookAtHost() == before);
}

TEST_CASE("while one call is a fork bomb another one runs") {
  const Arena arena;
  SandboxSpec bomb = arena.Spec("fork_bomb");
  bomb.limits.tasks = 64;
  SharedSandbox();
  Outcome bombed;
  std::thread other([&] {
    NoCallIo io;
    auto result = SharedSandbox().Run(bomb, io, CancelToken());
    if (result.ok()) {
      bombed = std::move(result).value();
    }
  });
  for (int i = 0; i < 5; ++i) {
    CHECK(RunSpec(Shell("echo alive")).output == "alive\n");
  }
  other.join();
  CHECK(bombed.kind == OutcomeKind::kTasksExceeded);
}

TEST_CASE("random system calls change nothing on the host") {
  const Arena arena;
  RunSpec(arena.Spec("ipc"));
  const HostState before = LookAtHost();
  SandboxSpec spec = arena.Spec("random_calls");
  const Outcome outcome = RunSpec(spec);
  CAPTURE(Describe(outcome), outcome.output);
  CHECK(outcome.kind != OutcomeKind::kSetupFailed);
  CHECK(LookAtHost() == before);
  CHECK(ReadFile(arena.read_only() + "/file", 100).value() == "untouched");
  CHECK(ReadFile(arena.canary(), 100).value() == "host secret");
  CHECK(RunSpec(Shell("echo alive")).output == "alive\n");
}

}  // namespace
}  // namespace nacre::sandbox
