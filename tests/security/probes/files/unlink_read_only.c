/* attack: removes a read-only file
   escaped: unlink(2) succeeds
   layer: mount
   control: outside
   source: catalogue B02 */
#include "probe.h"

PROBE() {
  MUST_FAIL(SYS_unlink, ReadOnly("file"));
}
