/* attack: sends to a datagram socket of the host in the workspace
   escaped: it is sent
   layer: seccomp
   control: outside
   source: syslog, systemd-notify */
#include "probe.h"

PROBE() {
  MustNotReachUnix(SOCK_DGRAM, Workspace("host.datagram"), 0);
}
