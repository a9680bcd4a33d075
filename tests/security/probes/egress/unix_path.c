/* attack: talks to a server of the host through its socket in the workspace
   escaped: it connects
   layer: seccomp
   control: outside
   source: docker.sock; Landlock does not cover it */
#include "probe.h"

PROBE() {
  MustNotReachUnix(SOCK_STREAM, Workspace("host.stream"), 0);
}
