/* attack: names the program that the kernel runs for a new device
   escaped: the file opens for writing
   layer: mount
   control: outside root /sys/kernel/uevent_helper
   source: uevent_helper escape */
#include "probe.h"

PROBE() {
  MustNotOpen("/sys/kernel/uevent_helper", O_WRONLY);
}
