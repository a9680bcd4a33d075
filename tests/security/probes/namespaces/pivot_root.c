/* attack: exchanges its root
   escaped: pivot_root(2) succeeds
   layer: seccomp
   control: none: it changes the host
   source: catalogue A23 */
#include "probe.h"

PROBE() {
  MUST_FAIL(SYS_pivot_root, ".", ".");
}
