/* attack: makes pairs of other families
   escaped: socketpair(2) succeeds
   layer: seccomp
   control: none: few kernels have any
   source: TIPC pairs */
#include "probe.h"

PROBE() {
  int pair[2];
  MUST_FAIL(SYS_socketpair, 30, SOCK_SEQPACKET, 0, pair);
  MUST_FAIL(SYS_socketpair, AF_INET, SOCK_STREAM, 0, pair);
}
