/* attack: asks for the session and group of a process of the host
   escaped: one of the calls answers
   layer: pid-namespace
   control: outside
   source: getsid */
#include "probe.h"

PROBE() {
  MUST_FAIL(SYS_getsid, HostPid());
  MUST_FAIL(SYS_getpgid, HostPid());
}
