/* attack: makes its own frames, and listens to all
   escaped: the socket is made
   layer: seccomp
   control: outside root
   source: catalogue A21, CVE-2020-14386 */
#include "probe.h"

PROBE() {
  MUST_FAIL(SYS_socket, 17 /* AF_PACKET */, SOCK_RAW, 0x0300);
}
