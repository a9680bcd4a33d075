/* attack: takes root's group
   escaped: setgid(2) succeeds
   layer: seccomp
   control: outside root
   source: catalogue, privileges */
#include "probe.h"

PROBE() {
  MUST_FAIL(SYS_setgid, 0);
}
