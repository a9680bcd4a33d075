/* attack: loads a line discipline
   escaped: TIOCSETD reaches the kernel
   layer: seccomp
   control: none: tests have no terminal
   source: CVE-2017-2636 */
#include "probe.h"

PROBE() {
  int discipline = 13;
  MUST_FAIL(SYS_ioctl, 0, TIOCSETD, &discipline);
}
