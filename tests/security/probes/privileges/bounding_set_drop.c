/* attack: uses a capability to change the bounding set
   escaped: prctl(2) succeeds
   layer: seccomp
   control: outside root
   source: catalogue, privileges */
#include "probe.h"

PROBE() {
  MUST_FAIL(SYS_prctl, PR_CAPBSET_DROP, 0, 0, 0, 0);
}
