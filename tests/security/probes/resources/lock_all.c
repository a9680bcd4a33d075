/* attack: locks all memory that it will ever have
   escaped: mlockall(2) succeeds
   layer: seccomp
   control: outside root
   source: catalogue C15 */
#include "probe.h"

PROBE() {
  MUST_FAIL(SYS_mlockall, 3);
}
