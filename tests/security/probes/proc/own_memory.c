/* attack: writes to its own read-only memory by /proc/self/mem
   escaped: it opens for writing
   layer: mount
   control: outside
   source: CVE-2016-5195 technique */
#include "probe.h"

PROBE() {
  MustNotOpen("/proc/self/mem", O_RDWR);
}
