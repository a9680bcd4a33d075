/* attack: makes its read-only mounts writable
   escaped: mount(2) succeeds
   layer: seccomp
   control: none: it changes the host
   source: catalogue A23 */
#include "probe.h"

PROBE() {
  MUST_FAIL(SYS_mount, NULL, "/", NULL, 32 | 4096 /* MS_REMOUNT, MS_BIND */, NULL);
  MUST_FAIL(SYS_mount, NULL, "/readonly", NULL, 32 | 4096, NULL);
}
