/* attack: binds a folder over another
   escaped: mount(2) succeeds
   layer: seccomp
   control: none: it changes the host
   source: catalogue A23 */
#include "probe.h"

PROBE() {
  MUST_FAIL(SYS_mount, "/usr", "/tmp", NULL, 4096 /* MS_BIND */, NULL);
}
