/* attack: takes another id for files only
   escaped: setfsuid(2) reaches the kernel
   layer: seccomp
   control: outside
   source: catalogue, privileges */
#include "probe.h"

PROBE() {
  MUST_FAIL(SYS_setfsuid, 0);
  MUST_FAIL(SYS_setfsgid, 0);
}
