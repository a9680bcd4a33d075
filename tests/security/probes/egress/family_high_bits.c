/* attack: hides the family among bits that the kernel does not read
   escaped: the socket is made
   layer: seccomp
   in network-client: allowed: the profile has sockets, which lead nowhere: see tcp
   control: outside
   source: CVE-2019-10063 technique */
#include "probe.h"

PROBE() {
  MUST_FAIL(SYS_socket, 0x100000000UL + AF_INET, SOCK_STREAM, 0);
}
