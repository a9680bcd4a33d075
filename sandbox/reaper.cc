#include "sandbox/reaper.h"

#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

#include "sandbox/kernel/landlock.h"
#include "sandbox/kernel/syscalls.h"
#include "sandbox/report.h"

namespace nacre::sandbox {
namespace {

// Raw calls: the filter allows these four and no other that libc might choose.
[[noreturn]] void End() {
  for (;;) {
    ::syscall(SYS_exit_group, 0);
  }
}

}  // namespace

void RunReaper(pid_t tool, int report, int landlock_abi, const sock_fprog& filter) {
  const auto first = static_cast<unsigned>(report);
  bool locked = kernel::CloseRange(0, first - 1) == 0 && kernel::CloseRange(first + 1, ~0U) == 0;
  locked = locked && (landlock_abi == 0 || kernel::EnforceLandlock(landlock_abi, nullptr, 0) == 0);
  locked = locked && ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter, 0, 0) == 0;
  if (!locked) {
    End();  // the tool dies with us; the launcher sees an end without a report
  }
  Report ended;
  ended.kind = ReportKind::kToolEnded;
  for (;;) {
    int status = 0;
    const long pid = ::syscall(SYS_wait4, -1, &status, __WALL, nullptr);
    if (pid == tool) {
      ended.index = status;
      ::syscall(SYS_sendto, report, &ended, offsetof(Report, status), MSG_NOSIGNAL, nullptr, 0);
      End();
    }
    if (pid < 0 && errno != EINTR) {
      End();
    }
  }
}

}  // namespace nacre::sandbox
