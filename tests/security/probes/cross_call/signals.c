/* attack: signals everything that another call could be
   escaped: something takes the signal
   layer: pid-namespace or landlock
   control: none: outside it would signal others
   calls: together
   source: catalogue C08 */
#include "probe.h"

OTHER_CALL() { ReadyAndWait(); }

PROBE() {
  for (int pid = 2; pid < 4096; ++pid)
    if (pid != getpid() && kill(pid, SIGKILL) == 0) Escaped("killed process %d", pid);
  MUST_FAIL(SYS_kill, getpid() + 1, SIGKILL);
}
