/* attack: keeps capabilities over a change of ids
   escaped: prctl(2) succeeds
   layer: seccomp
   control: outside
   source: PR_SET_KEEPCAPS */
#include "probe.h"

PROBE() {
  MUST_FAIL(SYS_prctl, PR_SET_KEEPCAPS, 1, 0, 0, 0);
}
