/* attack: opens a host file through /proc/self/root
   escaped: its content is read
   layer: mount
   control: outside
   source: catalogue B06 */
#include "probe.h"

PROBE() {
  char path[PATH_MAX];
  snprintf(path, sizeof path, "/proc/self/root%s", HostFile());
  MustNotRead(path);
}
