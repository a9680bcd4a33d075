/* attack: opens the device for network interfaces of one's own
   escaped: it opens
   layer: mount
   control: outside root /dev/net/tun
   source: catalogue B09 */
#include "probe.h"

PROBE() {
  MustNotOpen("/dev/net/tun", O_RDONLY);
}
