/* attack: opens the device that mounts files as disks
   escaped: it opens
   layer: mount
   control: outside root /dev/loop-control
   source: catalogue B09 */
#include "probe.h"

PROBE() {
  MustNotOpen("/dev/loop-control", O_RDONLY);
}
