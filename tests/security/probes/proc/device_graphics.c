/* attack: opens the graphics devices
   escaped: one opens
   layer: mount
   control: none: servers have none
   source: /dev/dri, /dev/nvidia */
#include "probe.h"

PROBE() {
  MustNotOpen("/dev/dri/card0", O_RDONLY);
  MustNotOpen("/dev/nvidiactl", O_RDONLY);
}
