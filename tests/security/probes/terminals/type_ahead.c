/* attack: types into the caller's terminal
   escaped: TIOCSTI reaches the kernel
   layer: seccomp
   control: none: tests have no terminal
   source: CVE-2017-5226 */
#include "probe.h"

PROBE() {
  for (int fd = 0; fd < 4; ++fd) MUST_FAIL(SYS_ioctl, fd, TIOCSTI, "x");
}
