/* attack: signals a thread of the host
   escaped: tgkill(2) succeeds
   layer: pid-namespace
   control: outside
   source: catalogue C08 */
#include "probe.h"

PROBE() {
  MUST_FAIL(SYS_tgkill, HostPid(), HostPid(), 0);
  MUST_FAIL(SYS_tkill, HostPid(), 0);
}
