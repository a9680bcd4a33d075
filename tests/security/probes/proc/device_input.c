/* attack: listens to the keyboard
   escaped: a device opens
   layer: mount
   control: none: servers have no keyboard
   source: catalogue, /dev */
#include "probe.h"

PROBE() {
  MustNotOpen("/dev/input", O_RDONLY);
  MustNotOpen("/dev/uinput", O_WRONLY);
}
