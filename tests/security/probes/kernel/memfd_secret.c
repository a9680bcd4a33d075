/* attack: takes memory that the kernel itself cannot see
   escaped: memfd_secret(2) succeeds
   layer: seccomp
   control: none: many kernels have it switched off
   source: catalogue A29 */
#include "probe.h"

PROBE() {
  MUST_FAIL(447 /* memfd_secret */, 0);
}
