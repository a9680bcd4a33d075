/* attack: raises an ambient capability, which survives exec
   escaped: prctl(2) succeeds
   layer: seccomp
   control: none: it needs an inheritable capability
   source: catalogue, privileges */
#include "probe.h"

PROBE() {
  MUST_FAIL(SYS_prctl, PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, 21, 0, 0);
}
