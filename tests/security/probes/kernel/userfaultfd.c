/* attack: handles its own page faults, to stop the kernel in the middle of a copy
   escaped: userfaultfd(2) succeeds
   layer: seccomp
   control: outside root
   source: catalogue A11, CVE-2022-2590 */
#include "probe.h"

PROBE() {
  MUST_FAIL(SYS_userfaultfd, 0);
}
