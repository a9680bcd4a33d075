/* attack: changes what the kernel believes of its memory layout
   escaped: prctl(2) succeeds
   layer: seccomp
   control: none: it needs a privilege
   source: catalogue A27 */
#include "probe.h"

PROBE() {
  MUST_FAIL(SYS_prctl, PR_SET_MM, PR_SET_MM_START_CODE, 0x400000, 0, 0);
}
