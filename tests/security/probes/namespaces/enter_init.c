/* attack: opens the namespaces of its first process
   escaped: one opens
   layer: mount
   control: none: outside it is another process
   source: catalogue, setns */
#include "probe.h"

PROBE() {
  MustNotOpen("/proc/1/ns/mnt", O_RDONLY);
  MustNotOpen("/proc/1/ns/user", O_RDONLY);
}
