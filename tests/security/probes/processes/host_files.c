/* attack: reads the files of a process of the host in /proc
   escaped: one opens
   layer: pid-namespace or mount
   control: outside
   source: catalogue E04 */
#include "probe.h"

PROBE() {
  char path[64];
  snprintf(path, sizeof path, "/proc/%d/cmdline", (int)HostPid());
  MustNotOpen(path, O_RDONLY);
  snprintf(path, sizeof path, "/proc/%d/environ", (int)HostPid());
  MustNotOpen(path, O_RDONLY);
}
