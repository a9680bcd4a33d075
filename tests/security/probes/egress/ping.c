/* attack: carries data out in pings
   escaped: the socket is made
   layer: seccomp
   control: none: hosts decide who may ping
   source: catalogue F01 */
#include "probe.h"

PROBE() {
  MUST_FAIL(SYS_socket, AF_INET, SOCK_DGRAM, 1 /* ICMP */);
}
