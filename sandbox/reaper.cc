#include "sandbox/reaper.h"

#include <linux/seccomp.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

#include "sandbox/kernel/capabilities.h"
#include "sandbox/kernel/landlock.h"
#include "sandbox/kernel/syscalls.h"
#include "sandbox/report.h"

namespace nacre::sandbox {
namespace {

// Raw calls: the filter allows these few and no other that libc might choose.
[[noreturn]] void End() {
  for (;;) {
    ::syscall(SYS_exit_group, 0);
  }
}

bool Lock(int landlock_abi, const sock_fprog& filter) {
  if (landlock_abi > 0) {
    // Signals may leave the domain: the tool lives in another one, and we end what it leaves behind.
    const int ruleset =
        kernel::MakeLandlockRuleset(landlock_abi, kernel::LandlockScope::kSignalsOut);
    if (ruleset < 0 || kernel::RestrictByLandlock(ruleset) != 0) {
      return false;
    }
    ::close(ruleset);
  }
  return ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter, 0, 0) == 0;
}

uint64_t Microseconds(const struct timeval& time) {
  return static_cast<uint64_t>(time.tv_sec) * 1'000'000 + static_cast<uint64_t>(time.tv_usec);
}

}  // namespace

void RunReaper(pid_t tool, int report, int landlock_abi, const sock_fprog& filter) {
  const auto first = static_cast<unsigned>(report);
  bool locked = kernel::CloseRange(0, first - 1) == 0 && kernel::CloseRange(first + 1, ~0U) == 0;
  locked = locked && kernel::DropCapabilities() == 0;
  if (!locked || !Lock(landlock_abi, filter)) {
    End();  // the tool dies with us; the launcher sees an end without a report
  }
  Report ended;
  ended.kind = ReportKind::kToolEnded;
  bool tool_ended = false;
  for (;;) {
    int status = 0;
    struct rusage use = {};
    const long pid = ::syscall(SYS_wait4, -1, &status, __WALL, &use);
    if (pid > 0) {
      ended.cpu_microseconds += Microseconds(use.ru_utime) + Microseconds(use.ru_stime);
    }
    if (pid == tool) {
      ended.index = status;
      tool_ended = true;
      ::syscall(SYS_kill, -1, SIGKILL);  // what it started and left behind
    }
    if (pid < 0 && errno != EINTR) {
      break;  // ECHILD: none of them is left, so nothing of the call can act any more
    }
  }
  if (tool_ended) {
    ::syscall(SYS_sendto, report, &ended, offsetof(Report, status), MSG_NOSIGNAL, nullptr, 0);
  }
  End();
}

}  // namespace nacre::sandbox
