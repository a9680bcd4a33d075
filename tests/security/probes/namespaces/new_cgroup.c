/* attack: makes a cgroup namespace
   escaped: unshare(2) succeeds
   layer: seccomp
   control: outside root
   source: CVE-2022-0492 */
#include "probe.h"

PROBE() {
  MUST_FAIL(SYS_unshare, 0x02000000 /* CLONE_NEWCGROUP */);
}
