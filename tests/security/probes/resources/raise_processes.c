/* attack: raises its limit of processes
   escaped: setrlimit(2) succeeds
   layer: rlimit
   control: outside root
   source: catalogue, rlimits */
#include "probe.h"

PROBE() {
  static const struct rlimit more = {RLIM_INFINITY, RLIM_INFINITY};
  MUST_FAIL(SYS_setrlimit, RLIMIT_NPROC, &more);
}
