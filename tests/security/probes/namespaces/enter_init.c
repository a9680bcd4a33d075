/* attack: opens the namespaces of its first process
   escaped: one opens
   layer: mount
   in gvisor: allowed: the first process is our agent, in the same namespaces as the call
   control: none: outside it is another process
   source: catalogue, setns */
#include "probe.h"

PROBE() {
  MustNotOpen("/proc/1/ns/mnt", O_RDONLY);
  MustNotOpen("/proc/1/ns/user", O_RDONLY);
}
