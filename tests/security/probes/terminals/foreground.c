/* attack: makes itself the foreground job of the caller's terminal
   escaped: TIOCSPGRP reaches the kernel
   layer: seccomp
   in build: kernel
   in shell: kernel
   control: none: tests have no terminal
   source: job control */
#include "probe.h"

PROBE() {
  int group = getpgrp();
  MUST_FAIL(SYS_ioctl, 0, TIOCSPGRP, &group);
}
