// System calls that glibc 2.36 does not wrap, and constants newer than Debian 12's 6.1 headers.
//
// Everything here is async-signal-safe: the set-up child of a threaded process uses nothing else.
// Each function answers as its system call does: -1 and errno.
// Source: include/uapi/linux/{sched,mount,landlock,openat2}.h of Linux 6.18.
#pragma once

#include <fcntl.h>
#include <linux/openat2.h>
#include <sched.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>

namespace nacre::sandbox::kernel {

struct CloneArgs {
  uint64_t flags = 0;
  uint64_t pidfd = 0;
  uint64_t child_tid = 0;
  uint64_t parent_tid = 0;
  uint64_t exit_signal = 0;
  uint64_t stack = 0;
  uint64_t stack_size = 0;
  uint64_t tls = 0;
  uint64_t set_tid = 0;
  uint64_t set_tid_size = 0;
  uint64_t cgroup = 0;
};

inline constexpr int kCloneNewTime = 0x80;                            // CLONE_NEWTIME
inline constexpr uint64_t kCloneClearSignalHandlers = 0x1'0000'0000;  // CLONE_CLEAR_SIGHAND
inline constexpr uint64_t kCloneIntoCgroup = 0x2'0000'0000;           // CLONE_INTO_CGROUP

inline long Clone3(const CloneArgs& args) {
  return ::syscall(SYS_clone3, &args, sizeof args);
}
// fork(2) without glibc's handlers, which may take locks that another thread held.
inline long RawFork() {
  return ::syscall(SYS_clone, 17 /* SIGCHLD */, 0, 0, 0, 0);
}
inline int CloseRange(unsigned first, unsigned last) {
  return static_cast<int>(::syscall(SYS_close_range, first, last, 0));
}
inline int PidfdSendSignal(int pidfd, int signal) {
  return static_cast<int>(::syscall(SYS_pidfd_send_signal, pidfd, signal, nullptr, 0));
}
inline int PivotRoot(const char* new_root, const char* put_old) {
  return static_cast<int>(::syscall(SYS_pivot_root, new_root, put_old));
}
inline int OpenAt2(int directory, const char* path, const struct open_how& how) {
  return static_cast<int>(::syscall(SYS_openat2, directory, path, &how, sizeof how));
}

struct LandlockRulesetAttr {
  uint64_t handled_access_fs = 0;
  uint64_t handled_access_net = 0;  // ABI 4
  uint64_t scoped = 0;              // ABI 6
};
struct LandlockPathBeneath {
  uint64_t allowed_access = 0;
  int32_t parent_fd = -1;
} __attribute__((packed));

inline int LandlockCreateRuleset(const LandlockRulesetAttr* attr, size_t size, uint32_t flags) {
  return static_cast<int>(::syscall(SYS_landlock_create_ruleset, attr, size, flags));
}
inline int LandlockAddPath(int ruleset, const LandlockPathBeneath& rule) {
  return static_cast<int>(
      ::syscall(SYS_landlock_add_rule, ruleset, 1 /* PATH_BENEATH */, &rule, 0));
}
// ABI 7: what is kept out of the host's audit log.
inline constexpr uint32_t kLandlockLogSameExecOff = 1U << 0;
inline constexpr uint32_t kLandlockLogSubdomainsOff = 1U << 2;

inline int LandlockRestrictSelf(int ruleset, uint32_t flags = 0) {
  return static_cast<int>(::syscall(SYS_landlock_restrict_self, ruleset, flags));
}

}  // namespace nacre::sandbox::kernel
