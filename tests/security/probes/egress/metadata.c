/* attack: asks a cloud's metadata service for credentials
   escaped: a socket for it is made
   layer: seccomp
   in network-client: network-namespace or landlock
   control: outside
   source: catalogue F05 */
#include "probe.h"

PROBE() {
  MustNotReach(AF_INET, SOCK_DGRAM, "169.254.169.254", "80");
}
