// Walls that another one stands in front of, tested with that one taken away; and what a call could
// leave in the kernel's own tables.
#include <fcntl.h>
#include <mqueue.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <thread>

#include "base/temp_dir.h"
#include "sandbox/kernel/syscalls.h"
#include "sandbox/selftest/layer.h"
#include "tests/support/child.h"
#include "tests/support/sandbox_runner.h"
#include "tests/support/skip.h"

namespace nacre::sandbox {
namespace {

constexpr char kPython[] = "/usr/bin/python3";

bool HasPython() {
  return ::access(kPython, X_OK) == 0;
}

Outcome RunPlan(KernelSandbox& sandbox, const LaunchPlan& plan) {
  NoCallIo io;
  auto outcome = sandbox.RunPlan(plan, io, CancelToken());
  REQUIRE(outcome.ok());
  return std::move(outcome).value();
}

std::string Tables() {
  std::string text;
  for (const char* table : {"shm", "sem", "msg"}) {
    const auto read = ReadFile(std::string("/proc/sysvipc/") + table, 1 << 20);
    text += read.ok() ? read.value() : "none\n";
  }
  return text;
}

// seccomp refuses these calls, an rlimit and Landlock the queues: what would be left if none did?
TEST_CASE("shared memory, semaphores and queues of a call are gone with it, of both kinds") {
  if (!HasPython()) {
    SKIP_HERE("no /usr/bin/python3 on this host");
  }
  const std::string script =
      "import ctypes\n"
      "libc = ctypes.CDLL(None, use_errno=True)\n"
      "def make(name, *call):\n"
      "  made = libc.syscall(*call) >= 0\n"
      "  print(name, made or ctypes.get_errno() == 38, flush=True)\n"
      "flags = MODE\n"
      "make('shm', 29, 0x6e616372, 4096, flags)\n"
      "make('sem', 64, 0x6e616372, 1, flags)\n"
      "make('msg', 68, 0x6e616372, flags)\n"
      "make('mq', 240, b'nacre-left', FLAGS, 0o666, 0)\n";
  const auto plan_of = [&](const std::string& mode, const std::string& flags) {
    std::string text = script;
    text.replace(text.find("MODE"), 4, mode);
    text.replace(text.find("FLAGS"), 5, flags);
    const LaunchPlan plan =
        MakePlan(MakeSpec({kPython, "-c", text}), SharedSandbox().host()).value();
    return Without(Without(Without(plan, Layer::kSeccomp), Layer::kRlimit), Layer::kLandlock);
  };
  const std::string before = Tables();
  const Outcome made = RunPlan(SharedSandbox(), plan_of("0o1666", "0o102"));  // IPC_CREAT, O_CREAT
  // A kernel without one of the kinds has nothing to leave.
  CHECK(made.output == "shm True\nsem True\nmsg True\nmq True\n");
  SharedSandbox().Settle();
  CHECK(Tables() == before);
  const mqd_t queue = ::mq_open("/nacre-left", O_RDONLY);
  const bool queues = errno != ENOSYS;
  CHECK(queue == -1);
  const Outcome looked = RunPlan(SharedSandbox(), plan_of("0o666", "0o2"));
  CHECK(looked.output ==
        std::string("shm False\nsem False\nmsg False\nmq ") + (queues ? "False\n" : "True\n"));
}

// With the terminal of a person in the runtime's hands: that of the tests may be none.
TEST_CASE("a call has no controlling terminal, also where its runtime has one") {
  UniqueFd ours;  // of the child up to its end: a terminal that is closed hangs up on its session
  UniqueFd theirs;
  const std::string said = InChild([&] {
    ours.reset(::posix_openpt(O_RDWR | O_NOCTTY));
    if (::setsid() < 0 || ::grantpt(ours.get()) != 0 || ::unlockpt(ours.get()) != 0) {
      ::_exit(1);
    }
    theirs.reset(::open(::ptsname(ours.get()), O_RDWR));  // now the session's terminal
    const UniqueFd here(::open("/dev/tty", O_RDWR | O_CLOEXEC));
    std::string text = here.valid() ? "here\n" : "no terminal to be without\n";
    const auto sandbox = KernelSandbox::Create();
    NoCallIo io;
    const SandboxSpec spec = Shell(
        "cut -d ' ' -f 7 /proc/self/stat; (: < /dev/tty) 2>/dev/null && echo terminal; "
        "ls /dev | grep tty");
    if (sandbox.ok()) {
      const auto outcome = sandbox.value()->Run(spec, io, CancelToken());
      text += outcome.ok() ? outcome.value().output : outcome.error().message;
    }
    return text;
  });
  CHECK(said == "here\n0\n");
}

TEST_CASE("a call's clocks of elapsed time begin with it") {
  if (!HasPython() || !SharedSandbox().host().time_namespace) {
    SKIP_HERE("no python3, or no time namespaces in this kernel");
  }
  const Outcome outcome =
      RunSpec(MakeSpec({kPython, "-c",
                        "import time\n"
                        "print(time.clock_gettime(time.CLOCK_MONOTONIC) < 60, "
                        "time.clock_gettime(time.CLOCK_BOOTTIME) < 60, time.time() > 1e9)"}));
  CHECK(outcome.output == "True True True\n");
}

// Listens on an abstract socket, and lets `other` run meanwhile.
class Meeting final : public CallIo {
 public:
  Meeting(KernelSandbox& sandbox, LaunchPlan other) : sandbox_(sandbox), other_(std::move(other)) {}
  Reply OnStart() override { return {}; }
  Reply OnChannelBytes(std::string_view) override {
    outcome = RunPlan(sandbox_, other_);
    return {.bytes = {}, .close_input = true};
  }
  Outcome outcome;

 private:
  KernelSandbox& sandbox_;
  LaunchPlan other_;
};

// In one network namespace, and without the filter that refuses sockets to both: only the scope of
// Landlock stands between two calls. Without it too, they meet: the test can fail.
TEST_CASE("calls that share a network are kept apart by Landlock's scope alone") {
  if (SharedSandbox().host().landlock_abi < kernel::kLandlockScopesAbi || !HasPython()) {
    SKIP_HERE("Landlock of this kernel has no scopes, or there is no python3");
  }
  const bool scoped = GENERATE(true, false);
  CAPTURE(scoped);
  auto sandbox = KernelSandbox::Create({.zygote_program = NACRE_ZYGOTE, .slots = 2}).value();
  const auto plan_of = [&](const std::string& code) {
    SandboxSpec spec = MakeSpec({kPython, "-c", code});
    spec.network_group = "session";
    LaunchPlan plan = Without(MakePlan(spec, sandbox->host()).value(), Layer::kSeccomp);
    return scoped ? plan : Without(std::move(plan), Layer::kLandlock);
  };
  const LaunchPlan connect = plan_of(
      "import socket\n"
      "s = socket.socket(socket.AF_UNIX)\n"
      "try:\n  s.connect('\\0nacre'); print('connected')\n"
      "except OSError as e:\n  print(e.errno)\n");
  const LaunchPlan listen = plan_of(
      "import os, socket, sys\n"
      "s = socket.socket(socket.AF_UNIX); s.bind('\\0nacre'); s.listen()\n"
      "os.write(3, b'x')\nsys.stdin.read()\nprint('listened')\n");
  for (int i = 0; i < 50 && !RunPlan(*sandbox, connect).warm; ++i) {
    sandbox->Settle();  // until the kind is known and its slots are made
  }
  sandbox->Settle();
  Meeting io(*sandbox, connect);
  const Outcome outcome = sandbox->RunPlan(listen, io, CancelToken()).value();
  CAPTURE(outcome.error_output, outcome.cold_because, io.outcome.cold_because);
  REQUIRE(outcome.warm);  // or they would not share one
  REQUIRE(io.outcome.warm);
  CHECK(outcome.output == "listened\n");
  CHECK(io.outcome.output == (scoped ? "1\n" : "connected\n"));  // EPERM
}

// The real thing, without controllers where the host has those in version 1: what is born in a cgroup
// cannot leave it, and ends with it at once.
TEST_CASE("processes are born into a version 2 cgroup and end with it, wherever they have hidden") {
  const TempDir folder = TempDir::Create().value();
  std::string problem;
  std::string found;
  std::thread([&] {
    const std::string mount = folder.path();
    if (::unshare(CLONE_NEWNS) != 0 ||
        ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
        ::mount("none", mount.c_str(), "cgroup2", 0, nullptr) != 0) {
      problem = "no cgroup version 2 can be mounted here";
      return;
    }
    const std::string leaf = mount + "/nacre-test-" + std::to_string(::getpid());
    if (::mkdir(leaf.c_str(), 0755) != 0) {
      problem = "no cgroup version 2 can be made here";
      return;
    }
    const UniqueFd directory(::open(leaf.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    Pipe ready = MakePipe().value();
    kernel::CloneArgs args;
    args.flags = kernel::kCloneIntoCgroup;
    args.cgroup = static_cast<uint64_t>(directory.get());
    args.exit_signal = SIGCHLD;
    const long pid = kernel::Clone3(args);
    if (pid == 0) {
      if (kernel::RawFork() == 0) {
        ::setsid();
        if (kernel::RawFork() == 0) {
          ::signal(SIGTERM, SIG_IGN);
          (void)!::write(ready.write.get(), "x", 1);
        }
      }
      for (;;) {
        ::pause();
      }
    }
    ready.write.reset();
    char byte = 0;
    found += pid > 0 && ::read(ready.read.get(), &byte, 1) == 1 ? "born " : "not born ";
    const auto text = ReadFile(leaf + "/cgroup.procs", 4096);
    found +=
        std::to_string(text.ok() ? std::count(text.value().begin(), text.value().end(), '\n') : -1);
    found += kernel::v2::IsPopulated(directory.get()) == true ? " populated" : " empty";
    found += kernel::v2::Kill(directory.get()) ? " killed" : " not killed";
    // Its last process ends the pipe.
    found += ::read(ready.read.get(), &byte, 1) == 0 ? " all" : " some";
    ::waitpid(static_cast<pid_t>(pid), nullptr, 0);
    for (int i = 0; i < 5000 && kernel::v2::IsPopulated(directory.get()) != false; ++i) {
      ::usleep(1000);
    }
    found += ::rmdir(leaf.c_str()) == 0 ? " gone" : " left";
  }).join();
  if (!problem.empty()) {
    SKIP_HERE(problem);
  }
  CHECK(found == "born 3 populated killed all gone");
}

TEST_CASE("a process enters a cgroup of version 1 by itself, and says why when it cannot") {
  const kernel::CgroupHost& host = SharedSandbox().host().cgroup;
  if (host.version != kernel::CgroupVersion::kV1) {
    SKIP_HERE("no cgroup of version 1");
  }
  const std::string name = kernel::OwnCgroupName("entered");
  std::optional<kernel::Cgroup> cgroup =
      kernel::Cgroup::Create(host, name, {.memory_bytes = 64 << 20, .tasks = 8}).value();
  const std::vector<UniqueFd> opened = cgroup->OpenEntrances().value();
  std::vector<int> entrances;
  for (const UniqueFd& entrance : opened) {
    entrances.push_back(entrance.get());
  }
  const kernel::CgroupMeter meter = cgroup->OpenMeter();
  CHECK(meter.ReadState().tasks == 0);
  // What it starts is in there too.
  const std::string seen = InChild([&] {
    std::string text = std::to_string(kernel::EnterCgroup(entrances.data(), entrances.size()));
    text += InChild([&] {
      const std::string all = ReadFile("/proc/self/cgroup", 4096).value();
      std::string places;
      for (size_t at = all.find(name); at != std::string::npos; at = all.find(name, at + 1)) {
        places += " in";
      }
      return places + " " + std::to_string(meter.ReadState().tasks);
    });
    return text;
  });
  std::string expected = "0";
  for (size_t i = 0; i < entrances.size(); ++i) {
    expected += " in";
  }
  CHECK(seen == expected + " 2");
  cgroup.reset();
  CHECK(InChild([&] {
          return std::to_string(kernel::EnterCgroup(entrances.data(), entrances.size()));
        }) == std::to_string(-ENODEV));
  const int nowhere = -1;
  CHECK(kernel::EnterCgroup(&nowhere, 1) == -EBADF);
}

// Another container's processes cannot be seen from here; its cgroups lie where ours do when it was
// given the host's folder.
TEST_CASE("cgroups of a runtime that was killed are swept, those of other PID namespaces are not") {
  const kernel::CgroupHost& host = SharedSandbox().host().cgroup;
  if (host.version == kernel::CgroupVersion::kNone) {
    SKIP_HERE("no cgroup with the memory and pids controllers is delegated to this process");
  }
  const pid_t child = ::fork();
  if (child == 0) {
    ::_exit(0);
  }
  ::waitpid(child, nullptr, 0);
  const std::string own = kernel::OwnCgroupName("swept");
  const std::string pid = "-" + std::to_string(::getpid()) + "-";
  std::string dead = own;
  dead.replace(dead.find(pid), pid.size(), "-" + std::to_string(child) + "-");
  const std::string elsewhere = "nacre-1-" + std::to_string(child) + "-swept";
  for (const std::string& name : {own, dead, elsewhere}) {
    REQUIRE(::mkdir((host.memory_directory + "/" + name).c_str(), 0755) == 0);
  }
  kernel::SweepCgroups(host);
  const auto remove = [&](const std::string& name) {
    return ::rmdir((host.memory_directory + "/" + name).c_str()) == 0;
  };
  CHECK(remove(own));
  CHECK_FALSE(remove(dead));
  CHECK(remove(elsewhere));
}

}  // namespace
}  // namespace nacre::sandbox
