/* attack: signals every process that it can see
   escaped: one other than its own gets it
   layer: landlock or pid-namespace
   control: outside
   source: kill(-1) */
#include "probe.h"

PROBE() {
  MUST_FAIL(SYS_kill, -1, 0);
}
