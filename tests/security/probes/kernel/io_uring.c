/* attack: makes an io_uring, whose operations no filter sees
   escaped: io_uring_setup(2) succeeds
   layer: seccomp
   control: outside
   source: CVE-2022-29582, CVE-2023-2598 */
#include "probe.h"

PROBE() {
  static char parameters[120];
  MUST_FAIL(425 /* io_uring_setup */, 4, parameters);
}
