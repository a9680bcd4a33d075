/* attack: asks to be traced
   escaped: ptrace(2) succeeds
   layer: seccomp
   control: outside
   source: catalogue A07 */
#include "probe.h"

PROBE() {
  MUST_FAIL(SYS_ptrace, 0 /* TRACEME */, 0, 0, 0);
}
