/* attack: maps more ids into its user namespace
   escaped: the map opens for writing
   layer: mount
   in gvisor: allowed: it opens for writing, in gVisor's own /proc; the call stays in its one namespace
   control: outside
   source: catalogue, privileges */
#include "probe.h"

PROBE() {
  MustNotOpen("/proc/self/uid_map", O_WRONLY);
  MustNotOpen("/proc/self/gid_map", O_WRONLY);
}
