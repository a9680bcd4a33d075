/* attack: switches address randomisation off
   escaped: personality(2) succeeds
   layer: seccomp
   control: outside
   source: catalogue A15 */
#include "probe.h"

PROBE() {
  MUST_FAIL(SYS_personality, 0x0040000 /* ADDR_NO_RANDOMIZE */);
}
