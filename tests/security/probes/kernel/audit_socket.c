/* attack: talks to the kernel's audit system
   escaped: the socket is made
   layer: seccomp
   control: outside
   source: NETLINK_AUDIT */
#include "probe.h"

PROBE() {
  MUST_FAIL(SYS_socket, 16, SOCK_RAW, 9 /* NETLINK_AUDIT */);
}
