/* attack: plants a symlink to a host file in the workspace and opens it
   escaped: its content is read
   layer: mount
   control: outside
   source: catalogue B03, CVE-2019-16884 */
#include "probe.h"

PROBE() {
  unlink(Workspace("link"));
  if (symlink(HostFile(), Workspace("link")) != 0) Cannot("no symlink in the workspace");
  MustNotRead(Workspace("link"));
}
