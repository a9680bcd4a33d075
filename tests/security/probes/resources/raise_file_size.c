/* attack: raises its limit of file sizes, by prlimit64(2)
   escaped: it succeeds
   layer: rlimit
   control: outside root
   source: catalogue, rlimits */
#include "probe.h"

PROBE() {
  static const struct rlimit more = {RLIM_INFINITY, RLIM_INFINITY};
  MUST_FAIL(SYS_prlimit64, 0, RLIMIT_FSIZE, &more, NULL);
}
