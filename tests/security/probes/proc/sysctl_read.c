/* attack: reads the host's kernel settings
   escaped: the file opens
   layer: mount
   in gvisor: allowed: what it reads is of gVisor's kernel; of the host it tells nothing
   control: outside
   source: catalogue, /proc */
#include "probe.h"

PROBE() {
  MustNotOpen("/proc/sys/kernel/hostname", O_RDONLY);
}
