/* attack: has the kernel take a dying process's memory away
   escaped: process_mrelease(2) reaches the kernel
   layer: seccomp
   control: none: it wants a dying process
   source: Linux 5.15 */
#include "probe.h"

PROBE() {
  MUST_FAIL(448 /* process_mrelease */, -1, 0);
}
