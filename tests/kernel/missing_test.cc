// Kernel features made to be missing, one by one: an outer filter answers in the kernel's place, as a
// container's or an old kernel would. Either the call is refused and says at what, or it runs in a
// mode that is named. Nothing runs in between, and nothing is left.
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cstddef>
#include <filesystem>
#include <sstream>

#include "base/file.h"
#include "sandbox/host_support.h"
#include "sandbox/kernel/syscalls.h"
#include "sandbox/kernel/user_namespace.h"
#include "sandbox/seccomp/filter.h"
#include "tests/support/child.h"
#include "tests/support/sandbox_runner.h"
#include "tests/support/skip.h"

namespace nacre::sandbox {
namespace {

constexpr uint32_t kAnyArgument = ~0U;

// A system call that fails; where `index` is not kAnyArgument, only with this value there.
struct Missing {
  int call = -1;
  int error = 0;
  uint32_t index = kAnyArgument;
  uint32_t value = 0;
};

bool TakeAway(const Missing& missing) {
  const bool any = missing.index == kAnyArgument;
  // The lower half of the argument, or the number once more, which is what it is.
  const auto looked_at = static_cast<unsigned>(any ? offsetof(struct seccomp_data, nr)
                                                   : offsetof(struct seccomp_data, args) +
                                                         static_cast<size_t>(missing.index) * 8);
  struct sock_filter instructions[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, static_cast<unsigned>(missing.call), 0, 3),
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, looked_at),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, any ? static_cast<unsigned>(missing.call) : missing.value,
               0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | static_cast<unsigned>(missing.error)),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
  const struct sock_fprog program = {.len = std::size(instructions), .filter = instructions};
  return ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
         ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) == 0;
}

std::string MountsNow() {
  const auto text = ReadFile("/proc/self/mountinfo", 1 << 20);
  return text.ok() ? text.value() : std::string();
}

// Runs in the child that the filter stays with: how a call ended there, a line per fact.
std::string RunCall(const SandboxSpec& spec) {
  std::ostringstream said;
  const std::string mounts = MountsNow();
  {
    auto sandbox =
        KernelSandbox::Create({.zygote_program = IsWarmRun() ? NACRE_ZYGOTE : "", .slots = 1});
    if (!sandbox.ok()) {
      said << "error " << sandbox.error().message << "\n";
    } else {
      sandbox.value()->Prepare(spec, std::chrono::seconds(5));
      NoCallIo io;
      const auto ran = sandbox.value()->Run(spec, io, CancelToken());
      if (!ran.ok()) {
        said << "error " << ran.error().message << "\n";
      } else {
        const Outcome& outcome = ran.value();
        said << OutcomeKindName(outcome.kind);
        if (outcome.kind == OutcomeKind::kSetupFailed) {
          said << " at " << outcome.setup_step << " " << outcome.setup_errno;
        }
        said << "\noutput " << outcome.output.size() << "\n";
        for (const std::string& weaker : outcome.layers.weaker) {
          said << "weaker " << weaker << "\n";
        }
      }
      sandbox.value()->Settle();
      const kernel::CgroupHost& cgroup = sandbox.value()->host().cgroup;
      const std::string ours = kernel::OwnCgroupName("");
      for (const std::string& parent : {cgroup.memory_directory, cgroup.pids_directory}) {
        std::error_code ignored;
        for (const auto& entry : std::filesystem::directory_iterator(parent, ignored)) {
          if (!IsWarmRun() && entry.path().filename().string().starts_with(ours)) {
            said << "left " << entry.path() << "\n";
          }
        }
      }
    }
  }
  if (::waitpid(-1, nullptr, WNOHANG) != -1) {
    said << "left a process\n";
  }
  if (MountsNow() != mounts) {
    said << "left a mount\n";
  }
  return said.str();
}

std::string RunWithout(const Missing& missing, const SandboxSpec& spec) {
  // libseccomp asks the kernel once per process, and builds nothing where seccomp(2) is missing.
  REQUIRE(seccomp::CompileProfile("default").ok());
  return InChild([&] { return TakeAway(missing) ? RunCall(spec) : std::string("no filter\n"); });
}

struct Row {
  const char* claim;
  Missing missing;
  // What the first line must be: "setup_failed at STEP ERRNO", an error of making the sandbox, or
  // "exited" for a mode that is named by the text that follows (empty: nothing is weaker for it).
  const char* ends;
  const char* weaker = "";
};

TEST_CASE("a kernel feature that is missing refuses the call, or the weaker mode is named") {
  constexpr uint32_t kNewListener = SECCOMP_FILTER_FLAG_NEW_LISTENER;
  const Row row = GENERATE(values<Row>({
      {"no clone3", {SYS_clone3, ENOSYS}, "setup_failed at namespaces 95"},
      {"no namespaces for us", {SYS_clone3, EPERM}, "setup_failed at namespaces 95"},
      {"no pidfd", {SYS_pidfd_send_signal, ENOSYS}, "setup_failed at pidfd 95"},
      {"no pidfd for us", {SYS_pidfd_send_signal, EPERM}, "setup_failed at pidfd 95"},
      {"no open_tree", {SYS_open_tree, ENOSYS}, "setup_failed at mount API 95"},
      {"no open_tree for us", {SYS_open_tree, EPERM}, "setup_failed at system /usr 1"},
      {"no move_mount", {SYS_move_mount, ENOSYS}, "setup_failed at mount API 95"},
      {"no move_mount for us", {SYS_move_mount, EPERM}, "setup_failed at new root 1"},
      {"no mount_setattr", {SYS_mount_setattr, ENOSYS}, "setup_failed at mount API 95"},
      {"no mount_setattr for us", {SYS_mount_setattr, EPERM}, "setup_failed at system /usr 1"},
      {"no fsopen", {SYS_fsopen, ENOSYS}, "setup_failed at new root 38"},
      {"no fsmount for us", {SYS_fsmount, EPERM}, "setup_failed at new root 1"},
      {"no mount for us",
       {SYS_mount, EPERM},
       "setup_failed at namespaces (a new user namespace has no privileges here: mount and "
       "sethostname in it: Operation not permitted; as with AppArmor's "
       "kernel.apparmor_restrict_unprivileged_userns=1: see nacre doctor) 95"},
      {"no pivot_root for us", {SYS_pivot_root, EPERM}, "setup_failed at pivot 1"},
      {"no umount for us", {SYS_umount2, EPERM}, "setup_failed at pivot 1"},
      {"no openat2", {SYS_openat2, ENOSYS}, "setup_failed at system /usr 38"},
      {"no close_range", {SYS_close_range, ENOSYS}, "setup_failed at clean inherited state 38"},
      {"no Landlock", {SYS_landlock_create_ruleset, ENOSYS}, "setup_failed at Landlock ABI 1 95"},
      {"Landlock off at boot",
       {SYS_landlock_create_ruleset, EOPNOTSUPP},
       "setup_failed at Landlock ABI 1 95"},
      {"no Landlock rules", {SYS_landlock_add_rule, EPERM}, "setup_failed at Landlock ruleset 1"},
      {"no Landlock domain",
       {SYS_landlock_restrict_self, EPERM},
       "setup_failed at lock the first process 1"},
      {"no seccomp", {SYS_seccomp, ENOSYS}, "setup_failed at seccomp 95"},
      {"no seccomp filter with a listener",
       {SYS_seccomp, EINVAL, 1, kNewListener},
       "setup_failed at seccomp 22"},
      {"another's listener",
       {SYS_seccomp, EBUSY, 1, kNewListener},
       "exited",
       "has taken the listener"},
      {"no filter for PID 1",
       {SYS_prctl, EPERM, 0, PR_SET_SECCOMP},
       "setup_failed at lock the first process 1"},
      {"no no_new_privs",
       {SYS_prctl, EPERM, 0, PR_SET_NO_NEW_PRIVS},
       "setup_failed at no new privileges 1"},
      {"no bounding set",
       {SYS_prctl, EPERM, 0, PR_CAPBSET_DROP},
       "setup_failed at limit capabilities 1"},
      {"no capset", {SYS_capset, EPERM}, "setup_failed at lock the first process 1"},
      {"no limits", {SYS_prlimit64, EPERM}, "setup_failed at limit core 1"},
      {"no time namespaces",
       {SYS_unshare, EINVAL, 0, kernel::kCloneNewTime},
       "exited",
       "has no time namespace"},
      {"no hostname",
       {SYS_sethostname, EACCES},
       "setup_failed at namespaces (a new user namespace has no privileges here: mount and "
       "sethostname in it: Permission denied; as with AppArmor's "
       "kernel.apparmor_restrict_unprivileged_userns=1: see nacre doctor) 95"},
      {"no session", {SYS_setsid, EPERM}, "setup_failed at new session 1"},
      {"no change of user", {SYS_setresuid, EPERM}, "setup_failed at identity 1"},
      {"no fork", {SYS_clone, EPERM}, "setup_failed at start the tool's process 1"},
      {"no program", {SYS_execve, EPERM}, "setup_failed at exec 1"},
      // Filters are compiled into one: there is no sandbox at all.
      {"no memfd_create",
       {SYS_memfd_create, ENOSYS},
       "error memfd_create: Function not implemented"},
      // Used where they are there, and nothing of a call's depends on them.
      {"no pidfd_open", {SYS_pidfd_open, ENOSYS}, "exited"},
      {"no name_to_handle_at", {SYS_name_to_handle_at, ENOSYS}, "exited"},
  }));
  CAPTURE(row.claim);
  const bool whole = std::string(row.ends) == "exited";
  const std::string said = RunWithout(row.missing, Shell("echo ran"));
  CAPTURE(said);
  if (IsWarmRun() && said.starts_with("error ") && !said.starts_with(row.ends)) {
    CHECK(said.find("zygote") !=
          std::string::npos);  // it needs more than a call: no sandbox at all
    return;
  }
  CHECK(said.substr(0, said.find('\n')) == row.ends);
  const std::string output = "output " + std::string(whole ? "4" : "0") + "\n";
  CHECK((said.find(output) != std::string::npos || said.starts_with("error ")));
  CHECK(said.find("left ") == std::string::npos);
  if (*row.weaker != '\0') {
    CHECK(said.find(row.weaker) != std::string::npos);
  }
}

TEST_CASE("a terminal that cannot be had refuses the call") {
  const unsigned long missing = GENERATE(TIOCSPTLCK, TIOCSWINSZ, TIOCGPTPEER, TIOCSCTTY);
  SandboxSpec spec = Shell("echo ran");
  spec.terminal = TerminalSize{};
  const std::string said = RunWithout({SYS_ioctl, EIO, 1, static_cast<uint32_t>(missing)}, spec);
  CAPTURE(said);
  CHECK(said.starts_with("setup_failed at terminal /dev/pts 5\noutput 0\n"));
  CHECK(said.find("left ") == std::string::npos);
}

TEST_CASE("without Landlock a call runs only by the named exception, and says so") {
  SandboxSpec spec = Shell("echo ran");
  spec.require.landlock_abi = 0;
  const std::string said = RunWithout({SYS_landlock_create_ruleset, ENOSYS}, spec);
  CAPTURE(said);
  CHECK(said.starts_with("exited\noutput 4\n"));
  CHECK(said.find("weaker files are guarded by mounts only") != std::string::npos);
}

TEST_CASE("where no cgroup can be made a call is refused unless the exception is named") {
  SandboxSpec spec = Shell("echo ran");
  spec.require = {};
  // mkdir(2) fails for cgroups, and for nothing else of the launch: directories of the new root are
  // never reached.
  const std::string refused = RunWithout({SYS_mkdir, EPERM}, spec);
  CAPTURE(refused);
  CHECK(refused.starts_with("setup_failed at cgroup 95\noutput 0\n"));
}

bool WriteText(const char* path, const std::string& text) {
  const UniqueFd file(::open(path, O_WRONLY | O_CLOEXEC));
  return file && ::write(file.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size());
}

// What `unshare -r` makes: root of a user namespace that maps nobody else.
bool BecomeOnlyRoot() {
  const std::string uid = std::to_string(::geteuid());
  const std::string gid = std::to_string(::getegid());
  return ::unshare(CLONE_NEWUSER) == 0 && WriteText("/proc/self/setgroups", "deny") &&
         WriteText("/proc/self/uid_map", "0 " + uid + " 1\n") &&
         WriteText("/proc/self/gid_map", "0 " + gid + " 1\n") && ::geteuid() == 0;
}

bool BecomeOrdinary() {
  return ::geteuid() != 0 ||
         (::setgroups(0, nullptr) == 0 && ::setresgid(64321, 64321, 64321) == 0 &&
          ::setresuid(64321, 64321, 64321) == 0 && ::prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) == 0);
}

TEST_CASE("a root that is an ordinary user's, and maps nobody else, runs calls as that user's") {
  const std::string said = InChild([] {
    return BecomeOrdinary() && BecomeOnlyRoot() ? RunCall(Shell("id -u"))
                                                : std::string("no root\n");
  });
  CAPTURE(said);
  CHECK(said.starts_with("exited\noutput 5\n"));  // "1000\n"
  CHECK(said.find("left ") == std::string::npos);
}

TEST_CASE("a root whose calls could be nobody but root is refused, and told so") {
  if (::geteuid() != 0) {
    SKIP_HERE("we are not root");
  }
  const auto drop = [](unsigned capability) {
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
    struct __user_cap_data_struct data[2] = {};
    if (::syscall(SYS_capget, &header, data) != 0) {
      return false;
    }
    data[0].effective &= ~(1U << capability);
    data[0].permitted &= ~(1U << capability);
    return ::syscall(SYS_capset, &header, data) == 0;
  };
  const char* const claim = GENERATE("maps only itself", "no CAP_SYS_ADMIN", "no CAP_SETUID");
  CAPTURE(claim);
  const std::string said = InChild([&] {
    const std::string what = claim;
    const bool done = what == "maps only itself"   ? BecomeOnlyRoot()
                      : what == "no CAP_SYS_ADMIN" ? drop(CAP_SYS_ADMIN)
                                                   : drop(CAP_SETUID);
    return done ? RunCall(Shell("id -u")) : std::string("not done\n");
  });
  CAPTURE(said);
  CHECK(
      said.starts_with("setup_failed at namespaces (nacre runs as a root that cannot run a call as "
                       "anybody else"));
  CHECK(said.find("output 0\n") != std::string::npos);
  CHECK(said.find("left ") == std::string::npos);
}

TEST_CASE("an id map says what an id is outside") {
  CHECK(kernel::OutsideOf("         0          0 4294967295\n", 65534) == 65534U);
  CHECK(kernel::OutsideOf("0 1000 1\n", 0) == 1000U);
  CHECK(kernel::OutsideOf("0 1000 1\n1 100000 65536\n", 65534) == 165533U);
  CHECK(kernel::OutsideOf("0 1000 1\n", 1) == std::nullopt);
  CHECK(kernel::OutsideOf("", 0) == std::nullopt);
  CHECK(kernel::OutsideOf("nonsense", 0) == std::nullopt);
}

// With hidepid nothing of a call is seen by who started it: no watchdog could hold its limits.
TEST_CASE("a host whose /proc hides a call's processes is known as one") {
  if (::geteuid() != 0) {
    SKIP_HERE("only root can mount such a /proc");
  }
  const pid_t child = ::fork();
  if (child == 0) {
    const bool mounted = ::unshare(CLONE_NEWNS) == 0 &&
                         ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
                         ::mount("proc", "/proc", "proc", 0, "hidepid=2") == 0 &&
                         ::setgroups(0, nullptr) == 0 && ::setresgid(64321, 64321, 64321) == 0 &&
                         ::setresuid(64321, 64321, 64321) == 0;
    const auto host = ProbeHost();
    ::_exit(!mounted || !host.ok() ? 2 : host.value().hides_processes ? 0 : 1);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK(status == 0);
  CHECK_FALSE(ProbeHost().value().hides_processes);
}

// A call that must be killed is, also by a runtime that has no pidfd_open.
TEST_CASE("a deadline holds whatever is missing") {
  SandboxSpec spec = Shell("sleep 60");
  spec.limits.wall = std::chrono::milliseconds(300);
  const std::string said = RunWithout({SYS_pidfd_open, ENOSYS}, spec);
  CHECK(said.starts_with("timed_out\n"));
  CHECK(said.find("left ") == std::string::npos);
}

}  // namespace
}  // namespace nacre::sandbox
