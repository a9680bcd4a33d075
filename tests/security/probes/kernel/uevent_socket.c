/* attack: listens to, and forges, device events
   escaped: the socket is made
   layer: seccomp
   control: outside
   source: CVE-2009-1185 */
#include "probe.h"

PROBE() {
  MUST_FAIL(SYS_socket, 16, SOCK_RAW, 15 /* NETLINK_KOBJECT_UEVENT */);
}
