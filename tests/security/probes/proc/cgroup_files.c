/* attack: reaches the files of the host's cgroups, to lift its limits
   escaped: the folder opens
   layer: mount
   in gvisor: allowed: the folder is gVisor's own, and empty
   control: outside /sys/fs/cgroup
   source: CVE-2022-0492 */
#include "probe.h"

PROBE() {
  MustNotOpen("/sys/fs/cgroup", O_RDONLY);
}
