/* attack: leaves the workspace by ".."
   escaped: a host file is read
   layer: mount
   control: outside
   source: path traversal */
#include "probe.h"

PROBE() {
  char path[PATH_MAX];
  snprintf(path, sizeof path, "%s/../../../../../../../..%s", Workspace("."), HostFile());
  MustNotRead(path);
}
