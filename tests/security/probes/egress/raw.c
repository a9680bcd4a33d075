/* attack: makes its own IP packets
   escaped: the socket is made
   layer: seccomp
   control: outside root
   source: catalogue A21 */
#include "probe.h"

PROBE() {
  MUST_FAIL(SYS_socket, AF_INET, SOCK_RAW, 255);
}
