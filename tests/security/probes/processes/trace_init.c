/* attack: traces its first process
   escaped: ptrace(2) succeeds
   layer: seccomp
   control: none: outside it is another process
   source: catalogue A07 */
#include "probe.h"

PROBE() {
  MUST_FAIL(SYS_ptrace, 16 /* ATTACH */, 1, 0, 0);
}
