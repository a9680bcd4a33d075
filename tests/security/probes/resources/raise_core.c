/* attack: raises the limit of its core dumps
   escaped: setrlimit(2) succeeds
   layer: seccomp
   control: outside root
   source: catalogue C05, core_pattern */
#include "probe.h"

PROBE() {
  static const struct rlimit more = {RLIM_INFINITY, RLIM_INFINITY};
  MUST_FAIL(SYS_setrlimit, RLIMIT_CORE, &more);
}
