/* attack: uses UDP-Lite, past a fence for UDP
   escaped: the socket is made
   layer: seccomp
   control: none: not every kernel has it
   source: demonstrated against OpenShell */
#include "probe.h"

PROBE() {
  MUST_FAIL(SYS_socket, AF_INET, SOCK_DGRAM, 136);
}
