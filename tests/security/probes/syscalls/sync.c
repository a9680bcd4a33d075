/* attack: makes the host write all its file systems, again and again
   escaped: sync(2) or syncfs(2) succeeds
   layer: seccomp
   control: outside
   source: denial of service */
#include "probe.h"

PROBE() {
  MUST_FAIL(SYS_sync, 0);
  MUST_FAIL(SYS_syncfs, open(Workspace("."), O_RDONLY));
}
