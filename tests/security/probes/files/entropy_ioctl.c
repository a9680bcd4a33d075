/* attack: writes to the kernel's entropy count
   escaped: the ioctl succeeds
   layer: seccomp
   control: none: it changes the host
   source: RNDADDTOENTCNT */
#include "probe.h"

PROBE() {
  int bits = 1;
  MUST_FAIL(SYS_ioctl, open("/dev/urandom", O_RDWR), 0x40045201 /* RNDADDTOENTCNT */, &bits);
}
