/* attack: changes the mode of a read-only file, which Landlock does not look at
   escaped: chmod(2) succeeds
   layer: mount
   control: outside
   source: Landlock's documented gap */
#include "probe.h"

PROBE() {
  MUST_FAIL(SYS_chmod, ReadOnly("file"), 0600);
}
