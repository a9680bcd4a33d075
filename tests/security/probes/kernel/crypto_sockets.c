/* attack: reaches the kernel's ciphers by AF_ALG
   escaped: the socket is made
   layer: seccomp
   control: outside
   source: CVE-2019-8912 */
#include "probe.h"

PROBE() {
  MUST_FAIL(SYS_socket, 38 /* AF_ALG */, SOCK_SEQPACKET, 0);
}
