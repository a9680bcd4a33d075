/* attack: fakes the program that it runs as for those who ask the kernel
   escaped: prctl(2) answers
   layer: seccomp
   control: outside
   source: PR_SET_MM_MAP_SIZE */
#include "probe.h"

PROBE() {
  unsigned size = 0;
  MUST_FAIL(SYS_prctl, PR_SET_MM, 15 /* PR_SET_MM_MAP_SIZE */, &size, 0, 0);
}
