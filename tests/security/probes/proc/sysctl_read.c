/* attack: reads the host's kernel settings
   escaped: the file opens
   layer: mount
   control: outside
   source: catalogue, /proc */
#include "probe.h"

PROBE() {
  MustNotOpen("/proc/sys/kernel/hostname", O_RDONLY);
}
