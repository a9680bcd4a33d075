/* attack: hangs the terminal up
   escaped: vhangup(2) succeeds
   layer: seccomp
   control: none: it would end the tests' terminal
   source: catalogue A28 */
#include "probe.h"

PROBE() {
  MUST_FAIL(SYS_vhangup, 0);
}
