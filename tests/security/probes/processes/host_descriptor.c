/* attack: takes a descriptor of a process of the host
   escaped: pidfd_open(2) succeeds
   layer: pid-namespace
   control: outside
   source: pidfd */
#include "probe.h"

PROBE() {
  MUST_FAIL(SYS_pidfd_open, HostPid(), 0);
}
