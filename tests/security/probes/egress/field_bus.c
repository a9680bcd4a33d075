/* attack: uses CAN
   escaped: the socket is made
   layer: seccomp
   control: none: not every kernel has it
   source: CVE-2021-3609 */
#include "probe.h"

PROBE() {
  MUST_FAIL(SYS_socket, 29 /* AF_CAN */, SOCK_RAW, 1);
}
