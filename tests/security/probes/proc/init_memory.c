/* attack: reads and writes the memory of its first process, a copy of the runtime's
   escaped: it opens
   layer: mount
   control: none: outside it is another process
   source: catalogue B06 */
#include "probe.h"

PROBE() {
  MustNotOpen("/proc/1/mem", O_RDONLY);
  MustNotOpen("/proc/1/mem", O_RDWR);
}
