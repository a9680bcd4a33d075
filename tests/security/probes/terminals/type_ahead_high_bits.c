/* attack: types, with bits set that the kernel does not read
   escaped: TIOCSTI reaches the kernel
   layer: seccomp
   control: none: tests have no terminal
   source: CVE-2019-10063 */
#include "probe.h"

PROBE() {
  for (int fd = 0; fd < 4; ++fd) MUST_FAIL(SYS_ioctl, fd, 0x100000000UL | TIOCSTI, "x");
}
