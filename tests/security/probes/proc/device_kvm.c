/* attack: opens the virtual machine device
   escaped: it opens
   layer: mount
   control: outside root /dev/kvm
   source: catalogue B09 */
#include "probe.h"

PROBE() {
  MustNotOpen("/dev/kvm", O_RDONLY);
}
