/* attack: plants a symlink to /proc/self/root, and goes through it
   escaped: a host file is read
   layer: mount
   control: outside
   source: catalogue B06 */
#include "probe.h"

PROBE() {
  char path[PATH_MAX];
  unlink(Workspace("magic"));
  if (symlink("/proc/self/root", Workspace("magic")) != 0) Cannot("no symlink in the workspace");
  snprintf(path, sizeof path, "%s%s", Workspace("magic"), HostFile());
  MustNotRead(path);
}
