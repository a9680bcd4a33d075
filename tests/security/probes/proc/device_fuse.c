/* attack: opens the device for file systems of one's own
   escaped: it opens
   layer: mount
   in gvisor: allowed: the device is gVisor's own, made for this call
   control: outside root /dev/fuse
   source: catalogue B09 */
#include "probe.h"

PROBE() {
  MustNotOpen("/dev/fuse", O_RDWR);
}
