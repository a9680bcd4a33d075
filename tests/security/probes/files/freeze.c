/* attack: freezes the file system of the workspace, and so the host
   escaped: the ioctl succeeds
   layer: seccomp
   control: none: it would stop the host
   source: FIFREEZE */
#include "probe.h"

PROBE() {
  MUST_FAIL(SYS_ioctl, open(Workspace("."), O_RDONLY), 0xc0045877 /* FIFREEZE */, 0);
}
