/* attack: opens the host's disks
   escaped: one opens
   layer: mount
   control: outside root /dev/vda
   source: catalogue B09 */
#include "probe.h"

PROBE() {
  MustNotOpen("/dev/vda", O_RDONLY);
  MustNotOpen("/dev/sda", O_RDONLY);
  MustNotOpen("/dev/nvme0n1", O_RDONLY);
}
