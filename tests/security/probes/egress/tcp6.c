/* attack: makes an IPv6 socket
   escaped: it is made
   layer: seccomp
   control: outside
   source: catalogue F01 */
#include "probe.h"

PROBE() {
  MUST_FAIL(SYS_socket, AF_INET6, SOCK_STREAM, 0);
}
