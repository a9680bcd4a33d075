/* attack: becomes root
   escaped: setuid(2) succeeds
   layer: seccomp
   control: outside root
   source: catalogue, privileges */
#include "probe.h"

PROBE() {
  MUST_FAIL(SYS_setuid, 0);
}
