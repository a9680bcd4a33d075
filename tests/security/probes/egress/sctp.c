/* attack: uses SCTP, which fences for TCP and UDP forget
   escaped: the socket is made
   layer: seccomp
   control: none: not every kernel has it
   source: catalogue A21 */
#include "probe.h"

PROBE() {
  MUST_FAIL(SYS_socket, AF_INET, SOCK_STREAM, 132);
  MUST_FAIL(SYS_socket, AF_INET, SOCK_SEQPACKET, 132);
}
