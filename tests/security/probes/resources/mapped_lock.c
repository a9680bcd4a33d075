/* attack: maps memory as locked
   escaped: mmap(2) succeeds
   layer: rlimit
   control: outside root
   source: MAP_LOCKED */
#include "probe.h"

PROBE() {
  MUST_FAIL(SYS_mmap, 0, 32 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_LOCKED, -1, 0);
}
