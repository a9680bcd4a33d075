/* attack: makes a network namespace, to rule
   escaped: unshare(2) succeeds
   layer: seccomp
   control: outside root
   source: CVE-2023-32233 */
#include "probe.h"

PROBE() {
  MUST_FAIL(SYS_unshare, CLONE_NEWNET);
}
