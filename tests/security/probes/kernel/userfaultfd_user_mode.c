/* attack: the same, for faults of user mode only, which needs no privilege
   escaped: userfaultfd(2) succeeds
   layer: seccomp
   control: outside
   source: catalogue A11 */
#include "probe.h"

PROBE() {
  MUST_FAIL(SYS_userfaultfd, 1);
}
