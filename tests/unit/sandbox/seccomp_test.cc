#include <fcntl.h>
#include <linux/audit.h>
#include <linux/sched.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <termios.h>

#include <algorithm>
#include <array>
#include <catch2/catch.hpp>
#include <cerrno>
#include <map>

#include "base/file.h"
#include "sandbox/seccomp/emulator.h"
#include "sandbox/seccomp/filter.h"
#include "sandbox/seccomp/syscall_groups.h"

namespace nacre::sandbox::seccomp {
namespace {

const Filter& DefaultFilter() {
  static const Filter filter =
      CompileFilter(ProfileRules("default").value(), Otherwise::kNoSuchCall).value();
  return filter;
}

#ifdef __x86_64__
constexpr uint32_t kNative = AUDIT_ARCH_X86_64;

uint32_t Ask(const Filter& filter, int number, std::initializer_list<uint64_t> arguments = {},
             uint32_t architecture = kNative) {
  seccomp_data call = {};
  call.nr = number;
  call.arch = architecture;
  size_t i = 0;
  for (const uint64_t argument : arguments) {
    call.args[i++] = argument;
  }
  return Emulate(filter, call).value();
}

constexpr uint32_t Fails(uint32_t error) {
  return SECCOMP_RET_ERRNO | error;
}
constexpr uint32_t kAllowed = SECCOMP_RET_ALLOW;

TEST_CASE("a system call gets the answer that the table gives it") {
  struct Row {
    const char* claim;
    int number;
    std::vector<uint64_t> a;
    uint32_t answer;
  };
  constexpr uint64_t kHigh = 0x100000000;
  const auto row = GENERATE(values<Row>({
      {"read", SYS_read, {}, kAllowed},
      {"execve", SYS_execve, {}, kAllowed},
      {"fork", SYS_fork, {}, kAllowed},
      {"a thread",
       SYS_clone,
       {CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD},
       kAllowed},
      {"clone of a user namespace", SYS_clone, {CLONE_NEWUSER | 17}, Fails(EPERM)},
      {"clone of a mount namespace", SYS_clone, {CLONE_NEWNS}, Fails(EPERM)},
      {"clone of two namespaces", SYS_clone, {CLONE_NEWNS | CLONE_NEWNET}, Fails(EPERM)},
      {"clone of a cgroup namespace", SYS_clone, {CLONE_NEWCGROUP}, Fails(EPERM)},
      {"clone3", SYS_clone3, {}, Fails(ENOSYS)},
      {"unshare", SYS_unshare, {}, Fails(EPERM)},
      {"setns", SYS_setns, {}, Fails(EPERM)},
      {"mount", SYS_mount, {}, Fails(EPERM)},
      {"move_mount", SYS_move_mount, {}, Fails(EPERM)},
      {"mount_setattr", SYS_mount_setattr, {}, Fails(EPERM)},
      {"ptrace", SYS_ptrace, {}, Fails(EPERM)},
      {"process_vm_readv", SYS_process_vm_readv, {}, Fails(EPERM)},
      {"bpf", SYS_bpf, {}, Fails(EPERM)},
      {"keyctl", SYS_keyctl, {}, Fails(EPERM)},
      {"io_uring_setup", SYS_io_uring_setup, {}, Fails(EPERM)},
      {"userfaultfd", SYS_userfaultfd, {}, Fails(EPERM)},
      {"perf_event_open", SYS_perf_event_open, {}, Fails(EPERM)},
      {"memfd_create", SYS_memfd_create, {}, Fails(EPERM)},
      {"open_by_handle_at", SYS_open_by_handle_at, {}, Fails(EPERM)},
      {"seccomp", SYS_seccomp, {}, Fails(EPERM)},
      {"execveat", SYS_execveat, {}, Fails(ENOSYS)},
      {"openat2", SYS_openat2, {}, Fails(ENOSYS)},
      {"a call of the future", 600, {}, Fails(ENOSYS)},
      {"a call of the far future", 0x3fffffff, {}, Fails(ENOSYS)},
      {"an inet socket", SYS_socket, {AF_INET, SOCK_STREAM, 0}, Fails(EAFNOSUPPORT)},
      {"a unix socket", SYS_socket, {AF_UNIX, SOCK_STREAM, 0}, Fails(EAFNOSUPPORT)},
      {"a vsock socket", SYS_socket, {AF_VSOCK, SOCK_STREAM, 0}, Fails(EAFNOSUPPORT)},
      {"a stream pair", SYS_socketpair, {AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC}, kAllowed},
      {"a seqpacket pair", SYS_socketpair, {AF_UNIX, SOCK_SEQPACKET}, kAllowed},
      {"a datagram pair", SYS_socketpair, {AF_UNIX, SOCK_DGRAM}, Fails(ENOSYS)},
      {"an inet pair", SYS_socketpair, {AF_INET, SOCK_STREAM}, Fails(ENOSYS)},
      {"connect", SYS_connect, {}, Fails(EPERM)},
      {"isatty", SYS_ioctl, {0, TCGETS}, kAllowed},
      {"TIOCSTI", SYS_ioctl, {0, TIOCSTI}, Fails(EPERM)},
      {"TIOCSTI with high bits", SYS_ioctl, {0, TIOCSTI | kHigh}, Fails(EPERM)},
      {"TIOCLINUX", SYS_ioctl, {0, TIOCLINUX}, Fails(EPERM)},
      {"an ioctl that nobody named", SYS_ioctl, {0, 0xdead}, Fails(ENOSYS)},
      {"a thread's name", SYS_prctl, {PR_SET_NAME}, kAllowed},
      {"PR_SET_MM", SYS_prctl, {PR_SET_MM}, Fails(ENOSYS)},
      {"a filter by prctl", SYS_prctl, {PR_SET_SECCOMP}, Fails(ENOSYS)},
      {"the persona asked", SYS_personality, {0xffffffff}, kAllowed},
      {"READ_IMPLIES_EXEC", SYS_personality, {0x0400000}, Fails(ENOSYS)},
      {"chmod 755", SYS_chmod, {0, 0755}, kAllowed},
      {"chmod 4755", SYS_chmod, {0, 04755}, Fails(EPERM)},
      {"chmod 2755", SYS_chmod, {0, 02755}, Fails(EPERM)},
      {"chmod 6755", SYS_chmod, {0, 06755}, Fails(EPERM)},
      {"fchmodat 4755", SYS_fchmodat, {0, 0, 04755}, Fails(EPERM)},
      {"mkdir 2755", SYS_mkdir, {0, 02755}, Fails(EPERM)},
      {"open to read, with an arbitrary mode", SYS_open, {0, O_RDONLY, 04777}, kAllowed},
      {"create 644", SYS_open, {0, O_CREAT | O_WRONLY, 0644}, kAllowed},
      {"create 4755", SYS_open, {0, O_CREAT | O_WRONLY, 04755}, Fails(EPERM)},
      {"openat, create 4755", SYS_openat, {0, 0, O_CREAT | O_WRONLY, 04755}, Fails(EPERM)},
      {"openat, O_TMPFILE 4755", SYS_openat, {0, 0, O_TMPFILE | O_RDWR, 04755}, Fails(EPERM)},
      {"a fifo", SYS_mknodat, {0, 0, S_IFIFO | 0600}, kAllowed},
      {"a character device", SYS_mknodat, {0, 0, S_IFCHR | 0600}, Fails(EPERM)},
      {"a block device", SYS_mknod, {0, S_IFBLK | 0600}, Fails(EPERM)},
      {"setuid", SYS_setuid, {}, Fails(EPERM)},
      {"reboot", SYS_reboot, {}, Fails(EPERM)},
  }));
  CAPTURE(row.claim);
  seccomp_data call = {};
  call.nr = row.number;
  call.arch = kNative;
  std::copy(row.a.begin(), row.a.end(), call.args);
  CHECK(Emulate(DefaultFilter(), call).value() == row.answer);
}

TEST_CASE("calls of a foreign architecture kill") {
  for (const int number : {0, 1, 20, 39, 59}) {
    CHECK(Ask(DefaultFilter(), number, {}, AUDIT_ARCH_I386) == SECCOMP_RET_KILL_PROCESS);
    CHECK(Ask(DefaultFilter(), number, {}, AUDIT_ARCH_AARCH64) == SECCOMP_RET_KILL_PROCESS);
    CHECK(Ask(DefaultFilter(), 0x40000000 | number) == SECCOMP_RET_KILL_PROCESS);
  }
}

uint32_t AnswerOf(const SyscallRule* rule, uint32_t kill) {
  if (rule == nullptr) {
    return Fails(ENOSYS);
  }
  switch (rule->verdict) {
    case Verdict::kAllow:
      return kAllowed;
    case Verdict::kKill:
      return kill;
    case Verdict::kDeny:
      break;
  }
  return Fails(static_cast<uint32_t>(rule->error));
}

// The table read by hand is the oracle: slow and obvious. Arguments are those that some rule names,
// each with a bit more and a bit less, and the extremes.
TEST_CASE("each compiled filter answers each number as the table says") {
  const std::string profile = GENERATE(as<std::string>(), "pure", "default", "shell", "build",
                                       "network-client", kMachine, kEmulatedMachine);
  CAPTURE(profile);
  const auto rules = ProfileRules(profile).value();
  const ProfileFilters filters = CompileProfile(profile).value();
  size_t asked = 0;
  for (int number = 0; number < 512; ++number) {
    seccomp_data call = {};
    call.nr = number;
    call.arch = kNative;
    const std::string name = SyscallName(call);
    std::vector<std::array<uint64_t, 6>> inputs(2);
    inputs[1].fill(~0ULL);
    for (const SyscallRule& rule : rules) {
      if (rule.name != name) {
        continue;
      }
      std::array<uint64_t, 6> input = {};
      for (const ArgumentCheck& check : rule.checks) {
        input.at(check.index) |= check.value;
      }
      inputs.push_back(input);
      for (const ArgumentCheck& check : rule.checks) {
        for (const uint64_t change : {uint64_t{1}, check.mask & -check.mask, uint64_t{1} << 32}) {
          inputs.push_back(input);
          inputs.back().at(check.index) ^= change;
        }
      }
    }
    for (const auto& input : inputs) {
      std::copy(input.begin(), input.end(), call.args);
      const SyscallRule* rule = FindRule(rules, name, input);
      CAPTURE(name, input);
      ++asked;
      if (Emulate(filters.reporting, call).value() != AnswerOf(rule, SECCOMP_RET_USER_NOTIF) ||
          Emulate(filters.killing, call).value() != AnswerOf(rule, SECCOMP_RET_KILL_PROCESS)) {
        CHECK(Emulate(filters.reporting, call).value() == AnswerOf(rule, SECCOMP_RET_USER_NOTIF));
        CHECK(Emulate(filters.killing, call).value() == AnswerOf(rule, SECCOMP_RET_KILL_PROCESS));
      }
    }
  }
  CHECK(asked > 1024);
}

TEST_CASE("each profile draws its lines where its table says") {
  constexpr uint32_t kKilled = SECCOMP_RET_KILL_PROCESS;
  constexpr uint64_t kThread = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD;
  struct Row {
    const char* claim;
    int number;
    std::vector<uint64_t> a;
    uint32_t pure;
    uint32_t tool;  // default, and what the next three do not say otherwise
    uint32_t shell;
    uint32_t build;
    uint32_t network;
  };
  constexpr uint32_t kNo = Fails(ENOSYS);
  constexpr uint32_t kPerm = Fails(EPERM);
  constexpr uint32_t kAccess = Fails(EACCES);
  constexpr uint32_t kNoFamily = Fails(EAFNOSUPPORT);
  const auto row = GENERATE(values<Row>({
      {"a tool shuts its memory",
       SYS_prctl,
       {PR_SET_DUMPABLE, 0},
       kAllowed,
       kAllowed,
       kAllowed,
       kAllowed,
       kAllowed},
      {"open to read",
       SYS_openat,
       {0, 0, O_RDONLY},
       kAllowed,
       kAllowed,
       kAllowed,
       kAllowed,
       kAllowed},
      {"open to write",
       SYS_openat,
       {0, 0, O_WRONLY},
       Fails(EROFS),
       kAllowed,
       kAllowed,
       kAllowed,
       kAllowed},
      {"create",
       SYS_openat,
       {0, 0, O_CREAT | O_RDONLY},
       Fails(EROFS),
       kAllowed,
       kAllowed,
       kAllowed,
       kAllowed},
      {"truncate by opening",
       SYS_open,
       {0, O_TRUNC},
       Fails(EROFS),
       kAllowed,
       kAllowed,
       kAllowed,
       kAllowed},
      {"unlink", SYS_unlink, {}, kNo, kAllowed, kAllowed, kAllowed, kAllowed},
      {"a thread", SYS_clone, {kThread}, kAllowed, kAllowed, kAllowed, kAllowed, kAllowed},
      {"a process", SYS_clone, {17}, kPerm, kAllowed, kAllowed, kAllowed, kAllowed},
      {"fork", SYS_fork, {}, kPerm, kAllowed, kAllowed, kAllowed, kAllowed},
      {"a namespace", SYS_unshare, {CLONE_NEWUSER}, kKilled, kPerm, kPerm, kPerm, kPerm},
      {"ptrace", SYS_ptrace, {}, kKilled, kPerm, kPerm, kPerm, kPerm},
      {"bpf", SYS_bpf, {}, kKilled, kPerm, kPerm, kPerm, kPerm},
      {"clone3", SYS_clone3, {}, kNo, kNo, kNo, kNo, kNo},
      {"memory", SYS_mmap, {0, 4096, 3, 0x22}, kAllowed, kAllowed, kAllowed, kAllowed, kAllowed},
      {"code from a file",
       SYS_mmap,
       {0, 4096, 5, 2},
       kAllowed,
       kAllowed,
       kAllowed,
       kAllowed,
       kAllowed},
      {"code from nowhere",
       SYS_mmap,
       {0, 4096, 5, 0x22},
       kAccess,
       kAccess,
       kAccess,
       kAllowed,
       kAccess},
      {"writable code", SYS_mmap, {0, 4096, 7, 2}, kAccess, kAccess, kAccess, kAllowed, kAccess},
      {"memory that becomes code",
       SYS_mprotect,
       {0, 4096, 5},
       kAccess,
       kAccess,
       kAccess,
       kAllowed,
       kAccess},
      {"memory that becomes read-only",
       SYS_mprotect,
       {0, 4096, 1},
       kAllowed,
       kAllowed,
       kAllowed,
       kAllowed,
       kAllowed},
      {"raw mode", SYS_ioctl, {0, TCSETSW}, kNo, kNo, kAllowed, kAllowed, kNo},
      {"injection", SYS_ioctl, {0, TIOCSTI}, kNo, kPerm, kPerm, kPerm, kPerm},
      {"TCP",
       SYS_socket,
       {AF_INET, SOCK_STREAM | SOCK_CLOEXEC, IPPROTO_TCP},
       kNoFamily,
       kNoFamily,
       kNoFamily,
       kNoFamily,
       kAllowed},
      {"UDP over IPv6",
       SYS_socket,
       {AF_INET6, SOCK_DGRAM, 0},
       kNoFamily,
       kNoFamily,
       kNoFamily,
       kNoFamily,
       kAllowed},
      {"a raw socket",
       SYS_socket,
       {AF_INET, SOCK_RAW, IPPROTO_TCP},
       kNoFamily,
       kNoFamily,
       kNoFamily,
       kNoFamily,
       kNo},
      {"SCTP",
       SYS_socket,
       {AF_INET, SOCK_STREAM, 132},
       kNoFamily,
       kNoFamily,
       kNoFamily,
       kNoFamily,
       kNo},
      {"UDP-Lite",
       SYS_socket,
       {AF_INET, SOCK_DGRAM, 136},
       kNoFamily,
       kNoFamily,
       kNoFamily,
       kNoFamily,
       kNo},
      {"MPTCP",
       SYS_socket,
       {AF_INET, SOCK_STREAM, 262},
       kNoFamily,
       kNoFamily,
       kNoFamily,
       kNoFamily,
       kNo},
      {"a unix socket",
       SYS_socket,
       {AF_UNIX, SOCK_STREAM, 0},
       kNoFamily,
       kNoFamily,
       kNoFamily,
       kNoFamily,
       kNo},
      {"netlink",
       SYS_socket,
       {AF_NETLINK, SOCK_RAW, 0},
       kNoFamily,
       kNoFamily,
       kNoFamily,
       kNoFamily,
       kNo},
      {"connect", SYS_connect, {}, kPerm, kPerm, kPerm, kPerm, kAllowed},
      {"listen", SYS_listen, {}, kPerm, kPerm, kPerm, kPerm, kPerm},
      {"ask for the core limit",
       SYS_prlimit64,
       {0, 4, 0, 1},
       kAllowed,
       kAllowed,
       kAllowed,
       kAllowed,
       kAllowed},
      {"change the core limit", SYS_prlimit64, {0, 4, 4096}, kNo, kNo, kNo, kNo, kNo},
      {"change the stack limit",
       SYS_prlimit64,
       {0, 3, 4096},
       kAllowed,
       kAllowed,
       kAllowed,
       kAllowed,
       kAllowed},
      {"change the core limit by the old call", SYS_setrlimit, {4, 4096}, kNo, kNo, kNo, kNo, kNo},
      {"i386's numbers do not count", SYS_reboot, {}, kKilled, kPerm, kPerm, kPerm, kPerm},
  }));
  CAPTURE(row.claim);
  const std::array<std::pair<const char*, uint32_t>, 5> expected = {
      {{"pure", row.pure},
       {"default", row.tool},
       {"shell", row.shell},
       {"build", row.build},
       {"network-client", row.network}}};
  static const std::map<std::string, Filter> filters = [] {
    std::map<std::string, Filter> all;
    for (const Profile& profile : Profiles()) {
      all[profile.name] = CompileProfile(profile.name).value().killing;
    }
    return all;
  }();
  for (const auto& [profile, answer] : expected) {
    CAPTURE(profile);
    seccomp_data call = {};
    call.nr = row.number;
    call.arch = kNative;
    std::copy(row.a.begin(), row.a.end(), call.args);
    CHECK(Emulate(filters.at(profile), call).value() == answer);
  }
}

TEST_CASE("what a profile kills is reported by name and rule, whatever the architecture") {
  const ProfileFilters pure = CompileProfile("pure").value();
  seccomp_data call = {};
  call.arch = kNative;
  call.nr = SYS_open_by_handle_at;
  CHECK(Emulate(pure.reporting, call).value() == SECCOMP_RET_USER_NOTIF);
  CHECK(SyscallName(call) == "open_by_handle_at");
  CHECK(KillReason("pure", call) == "files by inode, past every mount");
  CHECK(KillReason("no such profile", call) == "a call that no rule names");
  call.nr = 9999;
  CHECK(SyscallName(call) == "syscall 9999");
  call.nr = 0x40000000 | 39;
  CHECK(Emulate(pure.reporting, call).value() == SECCOMP_RET_USER_NOTIF);
  CHECK(SyscallName(call).starts_with("x32 "));
  CHECK(KillReason("pure", call) == "calls of a foreign architecture (32-bit, x32)");
  call.arch = AUDIT_ARCH_I386;
  call.nr = 20;
  CHECK(SyscallName(call) == "i386 getpid");
  CHECK(KillReason("default", call) == "calls of a foreign architecture (32-bit, x32)");
  call.arch = AUDIT_ARCH_AARCH64;
  CHECK(SyscallName(call).starts_with("foreign "));
}

TEST_CASE("a program is small enough to be loaded for each call") {
  for (const Profile& profile : Profiles()) {
    CAPTURE(profile.name);
    const ProfileFilters filters = CompileProfile(profile.name).value();
    CHECK(filters.reporting.instructions.size() < 1500);
    CHECK(filters.reporting.instructions.size() == filters.killing.instructions.size());
  }
}

TEST_CASE("what waits for a tool may wait, tell and end, and nothing else") {
  const Filter filter = CompileFilter(ReaperRules(), Otherwise::kKill).value();
  for (int number = 0; number < 512; ++number) {
    const bool named = number == SYS_wait4 || number == SYS_sendto || number == SYS_exit_group ||
                       number == SYS_rt_sigreturn || number == SYS_restart_syscall;
    CAPTURE(number);
    CHECK(Ask(filter, number) == (named ? kAllowed : SECCOMP_RET_KILL_PROCESS));
  }
}
#endif

TEST_CASE("each profile is the one that was reviewed") {
  REQUIRE(Profiles().size() == 5);
  for (const Profile& profile : Profiles()) {
    CAPTURE(profile.name);
    const std::string golden =
        ReadFile(NACRE_SOURCE_DIR "/tests/unit/sandbox/golden/" + profile.name + "_profile.txt",
                 1 << 20)
            .value();
    CHECK(DescribeRules(ProfileRules(profile.name).value()) == golden);
    CHECK_FALSE(profile.purpose.empty());
  }
}

TEST_CASE("what runs a machine has a filter that was reviewed, and that no call can have") {
  for (const char* name : {kMachine, kEmulatedMachine}) {
    CAPTURE(name);
    const auto rules = ProfileRules(name).value();
    const std::string golden = ReadFile(NACRE_SOURCE_DIR "/tests/unit/sandbox/golden/" +
                                            std::string(name) + "_profile.txt",
                                        1 << 20)
                                   .value();
    CHECK(DescribeRules(rules) == golden);
    CHECK_FALSE(FindProfile(name).ok());
    for (const SyscallRule& rule : rules) {
      CHECK_FALSE(rule.reason.empty());
    }
  }
}

#ifdef __x86_64__
TEST_CASE(
    "what runs a machine starts no process, reaches no network and no wall; KVM only on KVM") {
  constexpr uint64_t kThread = CLONE_VM | CLONE_SIGHAND | CLONE_THREAD;
  constexpr uint64_t kWritableCode = PROT_READ | PROT_WRITE | PROT_EXEC;
  constexpr uint64_t kCreateVm = 0xae01;
  for (const char* name : {kMachine, kEmulatedMachine}) {
    CAPTURE(name);
    const bool emulated = std::string(name) == kEmulatedMachine;
    const Filter filter = CompileProfile(name).value().killing;
    CHECK(Ask(filter, SYS_clone, {kThread}) == kAllowed);
    CHECK(Ask(filter, SYS_clone, {SIGCHLD}) == Fails(EPERM));
    CHECK(Ask(filter, SYS_clone, {kThread | CLONE_NEWUSER}) != kAllowed);
    CHECK(Ask(filter, SYS_clone3) == Fails(ENOSYS));
    CHECK(Ask(filter, SYS_vfork) == Fails(EPERM));
    CHECK(Ask(filter, SYS_socket, {AF_UNIX, SOCK_STREAM, 0}) == Fails(EAFNOSUPPORT));
    CHECK(Ask(filter, SYS_io_uring_setup) == Fails(ENOSYS));
    CHECK(Ask(filter, SYS_bpf) == Fails(ENOSYS));
    CHECK(Ask(filter, SYS_userfaultfd) == Fails(ENOSYS));
    CHECK(Ask(filter, SYS_kill, {1, 9}) == Fails(ENOSYS));
    CHECK(Ask(filter, SYS_unshare) == SECCOMP_RET_KILL_PROCESS);
    CHECK(Ask(filter, SYS_mount) == SECCOMP_RET_KILL_PROCESS);
    CHECK(Ask(filter, SYS_ptrace) == SECCOMP_RET_KILL_PROCESS);
    CHECK(Ask(filter, SYS_chmod, {0, 04755}) == Fails(EPERM));
    CHECK(Ask(filter, SYS_mknodat, {0, 0, S_IFBLK | 0600}) == Fails(EPERM));
    CHECK(Ask(filter, SYS_seccomp, {1, 1}) == kAllowed);
    CHECK(Ask(filter, SYS_seccomp, {1, SECCOMP_FILTER_FLAG_NEW_LISTENER}) == Fails(ENOSYS));
    CHECK(Ask(filter, SYS_ioctl, {3, TIOCSTI}) == Fails(ENOSYS));
    CHECK(Ask(filter, SYS_ioctl, {3, kCreateVm}) == (emulated ? Fails(ENOSYS) : kAllowed));
    CHECK(Ask(filter, SYS_mmap, {0, 4096, kWritableCode, MAP_PRIVATE | MAP_ANONYMOUS}) ==
          (emulated ? kAllowed : Fails(EACCES)));
  }
}
#endif

TEST_CASE("a profile that does not exist is refused and the message lists those that do") {
  for (const char* name : {"", "permissive", "Default", "pure "}) {
    CHECK_FALSE(FindProfile(name).ok());
    const auto rules = ProfileRules(name);
    REQUIRE_FALSE(rules.ok());
    CHECK(rules.error().message.find("pure, default, shell, build, network-client") !=
          std::string::npos);
  }
}

TEST_CASE("a pure tool has at most 80 system calls, each with its reason") {
  CHECK(CountAllowed(ProfileRules("pure").value()) <= 80);
  for (const Profile& profile : Profiles()) {
    const auto rules = ProfileRules(profile.name).value();
    for (const SyscallRule& rule : rules) {
      CAPTURE(profile.name, rule.name);
      CHECK_FALSE(rule.reason.empty());
      CHECK((rule.verdict == Verdict::kDeny) == (rule.error != 0));
    }
  }
}

TEST_CASE("only the profile that builds may run what it makes") {
  for (const Profile& profile : Profiles()) {
    CHECK(profile.runs_what_it_makes == (profile.name == "build"));
  }
}

TEST_CASE("a program that the kernel would refuse is an error, not an answer") {
  const seccomp_data call = {};
  const auto filter = [](std::vector<sock_filter> instructions) {
    return Filter{std::move(instructions)};
  };
  CHECK_FALSE(Emulate(filter({}), call).ok());
  CHECK_FALSE(Emulate(filter({BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 64)}), call).ok());
  CHECK_FALSE(Emulate(filter({BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 2)}), call).ok());
  CHECK_FALSE(Emulate(filter({BPF_STMT(BPF_JMP | BPF_JA, 5)}), call).ok());
  CHECK_FALSE(Emulate(filter({BPF_STMT(BPF_ALU | BPF_DIV | BPF_K, 0)}), call).ok());
  CHECK_FALSE(Emulate(filter({BPF_STMT(BPF_ST, 16)}), call).ok());
  CHECK(Emulate(filter({BPF_STMT(BPF_RET | BPF_K, 7)}), call).value() == 7);
}

}  // namespace
}  // namespace nacre::sandbox::seccomp
