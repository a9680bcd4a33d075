/* attack: changes what a core dump of it holds
   escaped: the file opens for writing
   layer: mount
   control: outside
   source: coredump_filter */
#include "probe.h"

PROBE() {
  MustNotOpen("/proc/self/coredump_filter", O_WRONLY);
}
