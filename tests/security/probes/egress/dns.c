/* attack: makes a socket to ask a name server, and so to carry data out in names
   escaped: it is made
   layer: seccomp
   in network-client: network-namespace or landlock
   control: outside
   source: catalogue F06 */
#include "probe.h"

PROBE() {
  MustNotReach(AF_INET, SOCK_DGRAM, "127.0.0.53", "53");
}
