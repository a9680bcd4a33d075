/* attack: takes the descriptors of its first process
   escaped: one opens
   layer: mount
   in gvisor: allowed: the first process is our agent, its stream takes no frame without this call's token
   control: none: outside it is another process
   source: catalogue, /proc */
#include "probe.h"

PROBE() {
  MustNotOpen("/proc/1/fd", O_RDONLY);
  MustNotOpen("/proc/1/fd/4", O_RDONLY);
}
