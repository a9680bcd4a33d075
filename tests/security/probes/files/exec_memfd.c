/* attack: runs a program that is in no file
   escaped: memfd_create(2) succeeds
   layer: seccomp
   control: outside
   source: catalogue A25, CVE-2019-5736 */
#include "probe.h"

PROBE() {
  MUST_FAIL(SYS_memfd_create, "x", 0);
  MUST_FAIL(SYS_memfd_create, "x", 1);
  MUST_FAIL(SYS_memfd_create, "x", 0x10);
}
