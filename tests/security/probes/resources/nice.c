/* attack: raises its priority
   escaped: setpriority(2) succeeds
   layer: rlimit
   in gvisor: allowed: it counts in gVisor only, and every process there is the call's
   control: outside root
   source: catalogue C15 */
#include "probe.h"

PROBE() {
  MUST_FAIL(SYS_setpriority, PRIO_PROCESS, 0, -5);
}
