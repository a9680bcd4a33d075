/* attack: triggers the host's emergency keys
   escaped: the file opens for writing
   layer: mount
   control: outside root /proc/sysrq-trigger
   source: catalogue, /proc */
#include "probe.h"

PROBE() {
  MustNotOpen("/proc/sysrq-trigger", O_WRONLY);
}
