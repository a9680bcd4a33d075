/* attack: talks to IPsec's key management
   escaped: the socket is made
   layer: seccomp
   control: none: not every kernel has it
   source: CVE-2022-1353 */
#include "probe.h"

PROBE() {
  MUST_FAIL(SYS_socket, 15 /* AF_KEY */, SOCK_RAW, 2);
}
