/* attack: raises its limit of processes
   escaped: setrlimit(2) succeeds
   layer: rlimit
   in gvisor: allowed: our agent counts the processes, whatever the limit
   control: outside root
   source: catalogue, rlimits */
#include "probe.h"

PROBE() {
  static const struct rlimit more = {RLIM_INFINITY, RLIM_INFINITY};
  MUST_FAIL(SYS_setrlimit, RLIMIT_NPROC, &more);
}
