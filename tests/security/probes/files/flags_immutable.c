/* attack: makes its file immutable, so that the host cannot remove it
   escaped: the ioctl succeeds
   layer: seccomp
   control: none: it would need to be undone as root
   source: FS_IOC_SETFLAGS */
#include "probe.h"

PROBE() {
  int flags = 0x10;
  close(open(Workspace("stuck"), O_WRONLY | O_CREAT, 0600));
  MUST_FAIL(SYS_ioctl, open(Workspace("stuck"), O_RDONLY), 0x40086602 /* FS_IOC_SETFLAGS */, &flags);
}
