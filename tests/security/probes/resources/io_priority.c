/* attack: reads and writes disks before everybody else
   escaped: ioprio_set(2) succeeds
   layer: seccomp
   control: outside root
   source: catalogue C15 */
#include "probe.h"

PROBE() {
  MUST_FAIL(SYS_ioprio_set, 1, 0, 1 << 13 /* real time */);
}
