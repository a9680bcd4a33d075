/* attack: adds and removes swap space
   escaped: swapon(2) or swapoff(2) succeeds
   layer: seccomp
   control: none: it changes the host
   source: catalogue A28 */
#include "probe.h"

PROBE() {
  MUST_FAIL(SYS_swapon, Workspace("x"), 0);
  MUST_FAIL(SYS_swapoff, Workspace("x"));
}
