/* attack: mounts /proc without its restrictions
   escaped: mount(2) succeeds
   layer: seccomp
   control: none: it changes the host
   source: CVE-2025-52881 */
#include "probe.h"

PROBE() {
  MUST_FAIL(SYS_mount, "proc", "/tmp", "proc", 0, "");
}
