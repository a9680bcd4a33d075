/* attack: asks for, and so may steer, the host's clock discipline
   escaped: adjtimex(2) answers
   layer: seccomp
   control: outside
   source: catalogue A28 */
#include "probe.h"

PROBE() {
  static char state[256];
  MUST_FAIL(SYS_adjtimex, state);
  MUST_FAIL(SYS_clock_adjtime, CLOCK_REALTIME, state);
}
