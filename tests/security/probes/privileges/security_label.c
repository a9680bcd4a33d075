/* attack: changes its security label
   escaped: the file opens for writing
   layer: mount
   control: outside
   source: /proc/self/attr */
#include "probe.h"

PROBE() {
  MustNotOpen("/proc/self/attr/current", O_WRONLY);
}
