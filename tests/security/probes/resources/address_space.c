/* attack: reserves more address space than any limit
   escaped: mmap(2) succeeds
   layer: rlimit
   in gvisor: allowed: nothing is taken but numbers; memory that is used is counted
   control: outside
   source: overcommit */
#include "probe.h"

PROBE() {
  MUST_FAIL(SYS_mmap, 0, 1UL << 40, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
}
