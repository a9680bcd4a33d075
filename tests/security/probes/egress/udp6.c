/* attack: makes an IPv6 datagram socket, for DNS or QUIC
   escaped: it is made
   layer: seccomp
   control: outside
   source: catalogue F07 */
#include "probe.h"

PROBE() {
  MUST_FAIL(SYS_socket, AF_INET6, SOCK_DGRAM, 0);
}
