/* attack: talks to a server of the host by its abstract name
   escaped: it connects
   layer: seccomp
   control: outside
   source: CVE-2020-15257 */
#include "probe.h"

PROBE() {
  MustNotReachUnix(SOCK_STREAM, HostValue("PROBE_ABSTRACT"), 1);
}
