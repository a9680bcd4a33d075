/* attack: sets the host's clock
   escaped: one of the calls succeeds
   layer: seccomp
   control: none: it changes the host
   source: catalogue A28 */
#include "probe.h"

PROBE() {
  const struct timespec now = {1, 0};
  MUST_FAIL(SYS_clock_settime, CLOCK_REALTIME, &now);
  MUST_FAIL(SYS_settimeofday, &now, NULL);
}
