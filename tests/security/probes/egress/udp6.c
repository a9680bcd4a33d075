/* attack: makes an IPv6 datagram socket, for DNS or QUIC
   escaped: it is made
   layer: seccomp
   in network-client: allowed: the profile has sockets, which lead nowhere: see udp
   control: outside
   source: catalogue F07 */
#include "probe.h"

PROBE() {
  MUST_FAIL(SYS_socket, AF_INET6, SOCK_DGRAM, 0);
}
