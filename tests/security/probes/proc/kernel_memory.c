/* attack: reads the kernel's memory as a file
   escaped: it opens
   layer: mount
   control: outside root /proc/kcore
   source: catalogue, /proc */
#include "probe.h"

PROBE() {
  MustNotOpen("/proc/kcore", O_RDONLY);
}
