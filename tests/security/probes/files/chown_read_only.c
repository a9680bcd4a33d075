/* attack: changes the owner of a read-only file to its owner
   escaped: chown(2) succeeds
   layer: mount
   in gvisor: allowed: gVisor asks its file server only for what changes: nothing does
   control: outside
   source: Landlock's documented gap */
#include "probe.h"

PROBE() {
  MUST_FAIL(SYS_chown, ReadOnly("file"), -1, -1);
  MUST_FAIL(SYS_chown, ReadOnly("file"), getuid(), getgid());
}
