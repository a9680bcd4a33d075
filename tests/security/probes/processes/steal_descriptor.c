/* attack: takes an open descriptor out of another process
   escaped: pidfd_getfd(2) succeeds
   layer: seccomp
   control: outside
   source: pidfd_getfd */
#include "probe.h"

PROBE() {
  MUST_FAIL(438 /* pidfd_getfd */, (int)syscall(SYS_pidfd_open, getpid(), 0), 0, 0);
}
