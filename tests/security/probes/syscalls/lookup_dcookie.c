/* attack: asks for the path of a kernel cookie
   escaped: lookup_dcookie(2) answers
   layer: seccomp
   control: none: kernels have dropped it
   source: catalogue A29 */
#include "probe.h"

PROBE() {
  char path[64];
  MUST_FAIL(SYS_lookup_dcookie, 0, path, sizeof path);
}
