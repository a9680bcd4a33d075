/* attack: takes real, effective and saved ids at once
   escaped: setresuid(2) or setresgid(2) succeeds
   layer: seccomp
   control: outside root
   source: catalogue, privileges */
#include "probe.h"

PROBE() {
  MUST_FAIL(SYS_setresuid, 0, 0, 0);
  MUST_FAIL(SYS_setresgid, 0, 0, 0);
}
