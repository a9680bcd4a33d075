/* attack: makes a device node of a disk in each place that it can write
   escaped: mknodat(2) succeeds
   layer: seccomp
   control: outside root
   source: catalogue B09 */
#include "probe.h"

PROBE() {
  unlink(Workspace("disk"));
  MUST_FAIL(SYS_mknodat, AT_FDCWD, Workspace("disk"), S_IFBLK | 0600, 0xfe00);
  unlink("/dev/shm/nacre-probe-mark");
  MUST_FAIL(SYS_mknodat, AT_FDCWD, "/dev/shm/nacre-probe-mark", S_IFBLK | 0600, 0xfe00);
}
