/* attack: starts in a folder outside of its root
   escaped: the kernel calls it unreachable
   layer: mount
   control: none: outside everything is reachable
   source: CVE-2024-21626 */
#include "probe.h"

PROBE() {
  char path[PATH_MAX];
  if (syscall(SYS_getcwd, path, sizeof path) < 0 || path[0] != '/') Escaped("the working directory is out of the root");
  Held("mount", "it is below the root");
}
