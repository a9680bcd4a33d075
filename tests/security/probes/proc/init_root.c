/* attack: goes through the root folder of its first process
   escaped: it opens
   layer: mount
   control: none: outside it is another process
   source: catalogue B06 */
#include "probe.h"

PROBE() {
  MustNotOpen("/proc/1/root/etc/shadow", O_RDONLY);
  MustNotOpen("/proc/1/cwd", O_RDONLY);
}
