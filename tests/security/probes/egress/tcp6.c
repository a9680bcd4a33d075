/* attack: makes an IPv6 socket
   escaped: it is made
   layer: seccomp
   in network-client: allowed: the profile has sockets, which lead nowhere: see tcp
   control: outside
   source: catalogue F01 */
#include "probe.h"

PROBE() {
  MUST_FAIL(SYS_socket, AF_INET6, SOCK_STREAM, 0);
}
