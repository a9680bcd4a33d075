/* attack: sets an extended attribute of a read-only file
   escaped: setxattr(2) succeeds
   layer: seccomp
   control: none: user attributes need a file system that has them
   source: Landlock's documented gap */
#include "probe.h"

PROBE() {
  MUST_FAIL(SYS_setxattr, ReadOnly("file"), "user.x", "y", 1, 0);
}
