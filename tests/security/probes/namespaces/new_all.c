/* attack: makes all at once, as an unprivileged user may
   escaped: unshare(2) succeeds
   layer: seccomp
   control: outside
   source: CVE-2024-1086 */
#include "probe.h"

PROBE() {
  MUST_FAIL(SYS_unshare, CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWNET);
}
