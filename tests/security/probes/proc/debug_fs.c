/* attack: looks into the kernel's debugging files
   escaped: the folder opens
   layer: mount
   control: outside root /sys/kernel/debug
   source: catalogue B21 */
#include "probe.h"

PROBE() {
  MustNotOpen("/sys/kernel/debug", O_RDONLY);
  MustNotOpen("/sys/kernel/tracing", O_RDONLY);
}
