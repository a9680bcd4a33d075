/* attack: locks memory, so that the host cannot swap it
   escaped: mlock(2) succeeds
   layer: rlimit
   control: outside root
   source: catalogue C15 */
#include "probe.h"

PROBE() {
  void* memory = mmap(NULL, 32 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  MUST_FAIL(SYS_mlock, memory, 32 << 20);
}
