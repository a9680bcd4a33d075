/* attack: makes all readable memory executable
   escaped: personality(2) succeeds
   layer: seccomp
   control: outside
   source: catalogue A15 */
#include "probe.h"

PROBE() {
  MUST_FAIL(SYS_personality, 0x0400000 /* READ_IMPLIES_EXEC */);
}
