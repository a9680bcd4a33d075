/* attack: runs before everybody else
   escaped: sched_setscheduler(2) succeeds
   layer: seccomp
   control: outside root
   source: catalogue C15 */
#include "probe.h"

PROBE() {
  static const struct sched_param first = {.sched_priority = 1};
  MUST_FAIL(SYS_sched_setscheduler, 0, SCHED_FIFO, &first);
}
