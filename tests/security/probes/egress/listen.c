/* attack: waits for connections
   escaped: bind(2) or listen(2) reaches the kernel
   layer: seccomp
   in network-client: allowed: the profile binds sockets, in an empty network namespace
   control: none: it needs a socket to bind
   source: catalogue F11 */
#include "probe.h"

PROBE() {
  int pair[2];
  if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) != 0) Cannot("no pairs");
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  MUST_FAIL(SYS_bind, pair[0], &address, 2);
  MUST_FAIL(SYS_listen, pair[0], 1);
  MUST_FAIL(SYS_accept4, pair[0], NULL, NULL, 0);
}
