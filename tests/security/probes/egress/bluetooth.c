/* attack: uses Bluetooth
   escaped: the socket is made
   layer: seccomp
   control: none: not every kernel has it
   source: CVE-2020-12351 */
#include "probe.h"

PROBE() {
  MUST_FAIL(SYS_socket, 31 /* AF_BLUETOOTH */, SOCK_RAW, 1);
}
