/* attack: leaves the workspace through /proc/self/cwd and ".."
   escaped: a host file is read
   layer: mount
   control: outside
   source: catalogue B06, CVE-2024-21626 */
#include "probe.h"

PROBE() {
  char path[PATH_MAX];
  snprintf(path, sizeof path, "/proc/self/cwd/../../../../../../../..%s", HostFile());
  MustNotRead(path);
}
