/* attack: changes the secure bits
   escaped: prctl(2) succeeds
   layer: seccomp
   control: outside root
   source: catalogue, privileges */
#include "probe.h"

PROBE() {
  MUST_FAIL(SYS_prctl, PR_SET_SECUREBITS, 0, 0, 0, 0);
}
