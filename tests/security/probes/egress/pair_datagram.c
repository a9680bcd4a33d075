/* attack: makes a pair of datagram sockets, which can send to named ones
   escaped: socketpair(2) succeeds
   layer: seccomp
   control: outside
   source: sendto on a pair */
#include "probe.h"

PROBE() {
  int pair[2];
  MUST_FAIL(SYS_socketpair, AF_UNIX, SOCK_DGRAM, 0, pair);
}
