/* attack: signals a process of the host by its number
   escaped: kill(2) succeeds
   layer: pid-namespace
   control: outside
   source: catalogue C08 */
#include "probe.h"

PROBE() {
  MUST_FAIL(SYS_kill, HostPid(), 0);
}
