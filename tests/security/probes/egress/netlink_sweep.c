/* attack: makes a socket of every netlink protocol
   escaped: one is made
   layer: seccomp
   control: outside
   source: catalogue A21 */
#include "probe.h"

PROBE() {
  for (int protocol = 0; protocol < 32; ++protocol) MUST_FAIL(SYS_socket, 16, SOCK_RAW, protocol);
}
