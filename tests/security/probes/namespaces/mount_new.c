/* attack: mounts a file system over a folder
   escaped: mount(2) succeeds
   layer: seccomp
   control: none: it changes the host
   source: catalogue A23 */
#include "probe.h"

PROBE() {
  MUST_FAIL(SYS_mount, "none", "/tmp", "tmpfs", 0, "");
}
