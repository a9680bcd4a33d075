/* attack: truncates a read-only file by path: truncate(2) is no open(2)
   escaped: it succeeds
   layer: mount
   control: outside
   source: catalogue B17, Landlock before ABI 3 */
#include "probe.h"

PROBE() {
  MUST_FAIL(SYS_truncate, ReadOnly("file"), 0);
}
