/* attack: disables Ctrl-Alt-Del, as a first step to a reboot
   escaped: reboot(2) succeeds
   layer: seccomp
   control: none: it changes the host
   source: catalogue A28 */
#include "probe.h"

PROBE() {
  MUST_FAIL(SYS_reboot, 0xfee1dead, 672274793, 0, 0);
}
