/* attack: takes a mount by the newer calls
   escaped: open_tree(2) succeeds
   layer: seccomp
   control: outside
   source: catalogue A23 */
#include "probe.h"

PROBE() {
  MUST_FAIL(428 /* open_tree */, AT_FDCWD, "/", 0);
  MUST_FAIL(429 /* move_mount */, -1, "", -1, "", 4);
}
