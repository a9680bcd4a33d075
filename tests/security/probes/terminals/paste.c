/* attack: pastes into the console
   escaped: TIOCLINUX reaches the kernel
   layer: seccomp
   control: none: tests have no terminal
   source: CVE-2023-28339 technique */
#include "probe.h"

PROBE() {
  char two = 2;
  for (int fd = 0; fd < 4; ++fd) MUST_FAIL(SYS_ioctl, fd, TIOCLINUX, &two);
}
