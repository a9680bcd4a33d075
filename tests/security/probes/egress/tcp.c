/* attack: connects to a server of the host over TCP
   escaped: it connects
   layer: seccomp
   in network-client: landlock or network-namespace or kernel
   control: outside
   source: catalogue F01 */
#include "probe.h"

PROBE() {
  MustNotReach(AF_INET, SOCK_STREAM, "127.0.0.1", HostValue("PROBE_TCP_PORT"));
}
