/* attack: connects an end of an allowed pair elsewhere
   escaped: connect(2) reaches the kernel
   layer: seccomp
   in network-client: kernel
   control: none: the kernel refuses it too
   source: reuse of a socket */
#include "probe.h"

PROBE() {
  int pair[2];
  if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) != 0) Cannot("no pairs");
  struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "/workspace/host.stream"};
  MUST_FAIL(SYS_connect, pair[0], &address, sizeof address);
}
