/* attack: reads the environment of its first process
   escaped: it opens
   layer: mount
   in gvisor: allowed: the first process is our agent, whose environment is empty
   control: none: outside it is another process
   source: catalogue, /proc */
#include "probe.h"

PROBE() {
  MustNotOpen("/proc/1/environ", O_RDONLY);
  MustNotOpen("/proc/1/maps", O_RDONLY);
}
