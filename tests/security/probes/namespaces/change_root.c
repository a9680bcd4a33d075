/* attack: leaves a root by chroot(2) twice
   escaped: chroot(2) succeeds
   layer: seccomp
   control: outside root
   source: the oldest escape */
#include "probe.h"

PROBE() {
  MUST_FAIL(SYS_chroot, Workspace("."));
}
