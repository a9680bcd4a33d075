/* attack: reads the quotas of the host's disks
   escaped: quotactl(2) answers
   layer: seccomp
   control: none: it needs quotas
   source: catalogue A28 */
#include "probe.h"

PROBE() {
  char block[128];
  MUST_FAIL(SYS_quotactl, 0x800001 << 8, "/dev/vda", 0, block);
  MUST_FAIL(443 /* quotactl_fd */, 0, 0, 0, 0);
}
