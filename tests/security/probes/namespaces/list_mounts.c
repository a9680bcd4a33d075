/* attack: asks for the mounts by the newest calls
   escaped: one answers
   layer: seccomp
   control: none: kernels before 6.8 do not have them
   source: statmount(2) */
#include "probe.h"

PROBE() {
  static uint64_t request[8] = {24, ~0ULL};
  static uint64_t mounts[64];
  MUST_FAIL(458 /* listmount */, request, mounts, 64, 0);
  MUST_FAIL(457 /* statmount */, request, mounts, sizeof mounts, 0);
}
