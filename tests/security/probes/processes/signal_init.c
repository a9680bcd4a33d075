/* attack: kills and stops its first process, which watches it
   escaped: kill(2) is accepted
   layer: landlock
   in gvisor: allowed: it ends our agent, and so its own call; nothing else
   control: none: outside it is another process
   source: catalogue C08 */
#include "probe.h"

PROBE() {
  MUST_FAIL(SYS_kill, 1, SIGKILL);
  MUST_FAIL(SYS_kill, 1, SIGSTOP);
}
