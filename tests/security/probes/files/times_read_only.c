/* attack: changes the times of a read-only file
   escaped: utimensat(2) succeeds
   layer: mount
   control: outside
   source: Landlock's documented gap */
#include "probe.h"

PROBE() {
  MUST_FAIL(SYS_utimensat, AT_FDCWD, ReadOnly("file"), NULL, 0);
}
