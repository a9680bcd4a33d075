/* attack: opens the machine's memory and ports
   escaped: one opens
   layer: mount
   control: outside root /dev/mem
   source: catalogue B09 */
#include "probe.h"

PROBE() {
  MustNotOpen("/dev/mem", O_RDONLY);
  MustNotOpen("/dev/port", O_RDONLY);
}
