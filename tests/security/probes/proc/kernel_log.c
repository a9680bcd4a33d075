/* attack: reads the kernel's log as a file
   escaped: one opens
   layer: mount
   control: outside root /proc/kmsg
   source: catalogue, /proc */
#include "probe.h"

PROBE() {
  MustNotOpen("/proc/kmsg", O_RDONLY);
  MustNotOpen("/dev/kmsg", O_RDONLY);
}
