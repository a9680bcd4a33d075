/* attack: keeps memory in epoll and timer descriptors
   escaped: so many are made
   layer: rlimit
   control: outside
   source: catalogue, timers */
#include "probe.h"

PROBE() {
  for (int i = 0; i < kFilesLimit; ++i) if (TRY(SYS_epoll_create1, 0) < 0 || TRY(SYS_timerfd_create, CLOCK_MONOTONIC, 0) < 0) return;
  Escaped("so many are open");
}
