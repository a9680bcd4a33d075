/* attack: talks to the hypervisor, past every network namespace
   escaped: the socket is made
   layer: seccomp
   control: none: not every kernel has it
   source: catalogue A21, CVE-2021-26708 */
#include "probe.h"

PROBE() {
  MUST_FAIL(SYS_socket, 40 /* AF_VSOCK */, SOCK_STREAM, 0);
}
