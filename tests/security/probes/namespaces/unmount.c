/* attack: takes the mounts away that cover something
   escaped: umount2(2) succeeds
   layer: seccomp
   control: none: it changes the host
   source: catalogue A23 */
#include "probe.h"

PROBE() {
  MUST_FAIL(SYS_umount2, "/proc", 2 /* MNT_DETACH */);
  MUST_FAIL(SYS_umount2, "/workspace/guarded/secret", 2);
}
