/* attack: raises its limit of descriptors
   escaped: setrlimit(2) succeeds
   layer: rlimit
   control: outside root
   source: catalogue, rlimits */
#include "probe.h"

PROBE() {
  static const struct rlimit more = {1 << 19, 1 << 19};
  MUST_FAIL(SYS_setrlimit, RLIMIT_NOFILE, &more);
}
