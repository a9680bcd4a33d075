/* attack: has the kernel signal a process of the host when its pipe is ready
   escaped: fcntl(2) accepts the process
   layer: pid-namespace
   control: outside
   source: F_SETOWN */
#include "probe.h"

PROBE() {
  int ends[2];
  if (pipe(ends) != 0) Cannot("no pipe");
  MUST_FAIL(SYS_fcntl, ends[0], F_SETOWN, HostPid());
}
