/* attack: takes the host's console messages
   escaped: TIOCCONS reaches the kernel
   layer: seccomp
   control: none: tests have no terminal
   source: TIOCCONS */
#include "probe.h"

PROBE() {
  MUST_FAIL(SYS_ioctl, 1, TIOCCONS, 0);
}
