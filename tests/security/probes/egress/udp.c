/* attack: sends a datagram to a server of the host
   escaped: it is sent
   layer: seccomp
   in network-client: network-namespace or landlock
   control: outside
   source: catalogue F01 */
#include "probe.h"

PROBE() {
  MustNotReach(AF_INET, SOCK_DGRAM, "127.0.0.1", HostValue("PROBE_UDP_PORT"));
}
