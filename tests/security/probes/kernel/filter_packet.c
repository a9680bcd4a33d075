/* attack: reaches the packet filter's code by a netlink socket
   escaped: the socket is made
   layer: seccomp
   control: outside
   source: CVE-2022-1015, CVE-2024-1086 */
#include "probe.h"

PROBE() {
  MUST_FAIL(SYS_socket, 16 /* AF_NETLINK */, SOCK_RAW, 12 /* NETLINK_NETFILTER */);
}
