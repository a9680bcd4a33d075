/* attack: raises its priority
   escaped: setpriority(2) succeeds
   layer: rlimit
   control: outside root
   source: catalogue C15 */
#include "probe.h"

PROBE() {
  MUST_FAIL(SYS_setpriority, PRIO_PROCESS, 0, -5);
}
