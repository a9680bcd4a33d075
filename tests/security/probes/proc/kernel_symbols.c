/* attack: reads the kernel's symbol addresses
   escaped: the file opens
   layer: mount
   control: outside /proc/kallsyms
   source: catalogue B21 */
#include "probe.h"

PROBE() {
  MustNotOpen("/proc/kallsyms", O_RDONLY);
}
