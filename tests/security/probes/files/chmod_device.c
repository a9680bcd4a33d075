/* attack: changes the mode of a device that it was given
   escaped: chmod(2) succeeds
   layer: mount
   in gvisor: allowed: the device is gVisor's own, made for this call
   control: none: it would break the host
   source: shared inode of a bound device */
#include "probe.h"

PROBE() {
  MUST_FAIL(SYS_chmod, "/dev/null", 0600);
}
