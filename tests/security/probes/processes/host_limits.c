/* attack: changes the limits of a process of the host
   escaped: prlimit64(2) answers
   layer: pid-namespace
   control: outside
   source: prlimit */
#include "probe.h"

PROBE() {
  struct rlimit limit;
  MUST_FAIL(SYS_prlimit64, HostPid(), RLIMIT_NOFILE, NULL, &limit);
}
