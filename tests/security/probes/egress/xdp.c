/* attack: takes packets before the kernel's own stack
   escaped: the socket is made
   layer: seccomp
   control: outside root
   source: catalogue A21 */
#include "probe.h"

PROBE() {
  MUST_FAIL(SYS_socket, 44 /* AF_XDP */, SOCK_RAW, 0);
}
