/* attack: makes a mount namespace
   escaped: unshare(2) succeeds
   layer: seccomp
   control: outside root
   source: CVE-2022-0185 */
#include "probe.h"

PROBE() {
  MUST_FAIL(SYS_unshare, CLONE_NEWNS);
}
