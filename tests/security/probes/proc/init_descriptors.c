/* attack: takes the descriptors of its first process
   escaped: one opens
   layer: mount
   control: none: outside it is another process
   source: catalogue, /proc */
#include "probe.h"

PROBE() {
  MustNotOpen("/proc/1/fd", O_RDONLY);
  MustNotOpen("/proc/1/fd/4", O_RDONLY);
}
