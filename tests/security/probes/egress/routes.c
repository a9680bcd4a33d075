/* attack: changes addresses and routes by netlink
   escaped: the socket is made
   layer: seccomp
   control: outside
   source: catalogue F13 */
#include "probe.h"

PROBE() {
  MUST_FAIL(SYS_socket, 16 /* AF_NETLINK */, SOCK_RAW, 0 /* ROUTE */);
}
