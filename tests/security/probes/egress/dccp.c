/* attack: uses DCCP
   escaped: the socket is made
   layer: seccomp
   control: none: not every kernel has it
   source: CVE-2017-6074 */
#include "probe.h"

PROBE() {
  MUST_FAIL(SYS_socket, AF_INET, 6 /* SOCK_DCCP */, 33);
}
