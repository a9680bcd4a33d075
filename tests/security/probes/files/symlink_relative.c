/* attack: plants a symlink that climbs with ".."
   escaped: a host file is read
   layer: mount
   control: outside
   source: catalogue B03 */
#include "probe.h"

PROBE() {
  char path[PATH_MAX];
  snprintf(path, sizeof path, "../../../../../../../../..%s", HostFile());
  unlink(Workspace("climb"));
  if (symlink(path, Workspace("climb")) != 0) Cannot("no symlink in the workspace");
  MustNotRead(Workspace("climb"));
}
