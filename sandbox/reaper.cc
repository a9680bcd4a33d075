#include "sandbox/reaper.h"

#include <linux/seccomp.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
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

// 0 or -errno, as all below.
int CloseAllBut(unsigned a, unsigned b) {
  const unsigned low = std::min(a, b);
  const unsigned high = std::max(a, b);
  if ((low > 0 && kernel::CloseRange(0, low - 1) != 0) ||
      (high > low + 1 && kernel::CloseRange(low + 1, high - 1) != 0) ||
      kernel::CloseRange(high + 1, ~0U) != 0) {
    return -errno;
  }
  return 0;
}

int Lock(int landlock_abi, const sock_fprog& filter) {
  if (landlock_abi > 0) {
    // Signals may leave the domain: the tool lives in another one, and we end what it leaves behind.
    const int ruleset =
        kernel::MakeLandlockRuleset(landlock_abi, kernel::LandlockScope::kSignalsOut);
    const int restricted =
        ruleset < 0 ? ruleset : kernel::RestrictByLandlock(ruleset, landlock_abi);
    if (restricted < 0) {
      return restricted;
    }
    ::close(ruleset);
  }
  return ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter, 0, 0) != 0 ? -errno : 0;
}

uint64_t Microseconds(const struct timeval& time) {
  return static_cast<uint64_t>(time.tv_sec) * 1'000'000 + static_cast<uint64_t>(time.tv_usec);
}

}  // namespace

void RunReaper(pid_t tool, int report, int locked, int landlock_abi, const sock_fprog& filter) {
  int result = CloseAllBut(static_cast<unsigned>(report), static_cast<unsigned>(locked));
  if (result == 0) {
    result = kernel::DropCapabilities();
  }
  if (result == 0) {
    result = Lock(landlock_abi, filter);
  }
  if (result != 0) {
    Report failure;
    failure.kind = ReportKind::kStepFailed;
    failure.index = kFirstProcess;
    failure.error = -result;
    SendReport(report, failure);
    End();  // the tool's process, which waits for our word, ends with us
  }
  const char word = 1;
  ::syscall(SYS_sendto, locked, &word, 1, MSG_NOSIGNAL, nullptr, 0);
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
