/* attack: switches the echo of the caller's terminal off
   escaped: TCSETS reaches the kernel
   layer: seccomp
   in build: kernel
   in shell: kernel
   control: none: tests have no terminal
   source: TCSETS */
#include "probe.h"

PROBE() {
  static char settings[64];
  MUST_FAIL(SYS_ioctl, 0, 0x5402 /* TCSETS */, settings);
}
