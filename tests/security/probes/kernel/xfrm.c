/* attack: reaches IPsec's state by netlink
   escaped: the socket is made
   layer: seccomp
   control: outside
   source: CVE-2017-16939 */
#include "probe.h"

PROBE() {
  MUST_FAIL(SYS_socket, 16, SOCK_RAW, 6 /* NETLINK_XFRM */);
}
