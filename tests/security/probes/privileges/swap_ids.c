/* attack: swaps real and effective ids
   escaped: setreuid(2) or setregid(2) succeeds
   layer: seccomp
   control: outside
   source: catalogue, privileges */
#include "probe.h"

PROBE() {
  MUST_FAIL(SYS_setreuid, -1, -1);
  MUST_FAIL(SYS_setregid, -1, -1);
}
