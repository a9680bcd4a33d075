/* attack: uses TIPC, RDS and SMC
   escaped: one is made
   layer: seccomp
   control: none: not every kernel has them
   source: CVE-2021-43267, CVE-2010-3904 */
#include "probe.h"

PROBE() {
  MUST_FAIL(SYS_socket, 30 /* AF_TIPC */, SOCK_RDM, 0);
  MUST_FAIL(SYS_socket, 21 /* AF_RDS */, SOCK_SEQPACKET, 0);
  MUST_FAIL(SYS_socket, 43 /* AF_SMC */, SOCK_STREAM, 0);
}
