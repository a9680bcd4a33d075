/* attack: makes timers, which the kernel keeps, without end
   escaped: ten thousand are there
   layer: rlimit
   in gvisor: allowed: they are gVisor's own, in its memory, which is limited
   control: outside
   source: catalogue, timers */
#include "probe.h"

PROBE() {
  int id;
  for (int i = 0; i < 10000; ++i) {
    if (syscall(SYS_timer_create, CLOCK_MONOTONIC, NULL, &id) < 0) {
      TRY(SYS_timer_create, CLOCK_MONOTONIC, NULL, &id);
      return;
    }
  }
  Escaped("so many timers are there");
}
