/* attack: reads how the host was booted, its memory, modules and keys
   escaped: one opens
   layer: mount
   in gvisor: allowed: what it reads is of gVisor's kernel; of the host it tells nothing
   control: outside
   source: catalogue, /proc */
#include "probe.h"

PROBE() {
  MustNotOpen("/proc/cmdline", O_RDONLY);
  MustNotOpen("/proc/meminfo", O_RDONLY);
  MustNotOpen("/proc/modules", O_RDONLY);
  MustNotOpen("/proc/keys", O_RDONLY);
  MustNotOpen("/proc/net/../stat", O_RDONLY);
}
