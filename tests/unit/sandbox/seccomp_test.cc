#include <fcntl.h>
#include <linux/audit.h>
#include <linux/sched.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <cerrno>

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

// The table itself is the oracle: slow and obvious.
TEST_CASE("the compiled filter answers each number as the table says") {
  const auto rules = ProfileRules("default").value();
  for (const SyscallRule& rule : rules) {
    CAPTURE(rule.name);
    CHECK_FALSE(rule.reason.empty());
    CHECK((rule.verdict == Verdict::kAllow) == (rule.error == 0));
  }
  size_t allowed = 0;
  for (int number = 0; number < 512; ++number) {
    const uint32_t answer =
        Ask(DefaultFilter(), number, {~0ULL, ~0ULL, ~0ULL, ~0ULL, ~0ULL, ~0ULL});
    const bool known =
        answer == kAllowed || (answer & SECCOMP_RET_ACTION_FULL) == SECCOMP_RET_ERRNO;
    CHECK(known);
    allowed += answer == kAllowed ? 1 : 0;
  }
  size_t unconditional = 0;
  for (const SyscallRule& rule : rules) {
    unconditional += rule.verdict == Verdict::kAllow && rule.checks.empty() ? 1 : 0;
  }
  CHECK(allowed > 150);
  // Some names have no number here; personality(~0) is the one conditional call that ~0 allows.
  CHECK(allowed <= unconditional + 1);
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

TEST_CASE("the default profile is the one that was reviewed") {
  const std::string golden =
      ReadFile(NACRE_SOURCE_DIR "/tests/unit/sandbox/golden/default_profile.txt", 1 << 20).value();
  CHECK(DescribeRules(ProfileRules("default").value()) == golden);
}

TEST_CASE("a profile that does not exist is refused") {
  CHECK_FALSE(ProfileRules("").ok());
  CHECK_FALSE(ProfileRules("permissive").ok());
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
