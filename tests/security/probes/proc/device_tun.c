/* attack: opens the device for network interfaces of one's own
   escaped: it opens
   layer: mount
   in gvisor: allowed: the device is gVisor's own, and leads to its network, which is empty
   control: outside root /dev/net/tun
   source: catalogue B09 */
#include "probe.h"

PROBE() {
  MustNotOpen("/dev/net/tun", O_RDONLY);
}
