/* attack: takes a controlling terminal
   escaped: TIOCSCTTY reaches the kernel
   layer: seccomp
   control: none: tests have no terminal
   source: TIOCSCTTY */
#include "probe.h"

PROBE() {
  for (int fd = 0; fd < 3; ++fd) MUST_FAIL(SYS_ioctl, fd, TIOCSCTTY, 1);
}
