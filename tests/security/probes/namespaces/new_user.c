/* attack: makes a user namespace, to be root in
   escaped: unshare(2) succeeds
   layer: seccomp
   control: outside
   source: catalogue A01, CVE-2022-0185 */
#include "probe.h"

PROBE() {
  MUST_FAIL(SYS_unshare, CLONE_NEWUSER);
}
