/* attack: looks into /sys
   escaped: a folder opens
   layer: mount
   in gvisor: allowed: the folder is gVisor's own; of the host it tells nothing
   control: outside
   source: catalogue B21 */
#include "probe.h"

PROBE() {
  MustNotOpen("/sys/kernel", O_RDONLY);
  MustNotOpen("/sys", O_RDONLY);
}
