/* attack: makes a device node of the machine's memory in the workspace
   escaped: mknod(2) succeeds
   layer: seccomp
   control: outside root
   source: catalogue B09 */
#include "probe.h"

PROBE() {
  unlink(Workspace("node"));
  MUST_FAIL(SYS_mknod, Workspace("node"), S_IFCHR | 0600, 0x101);
}
