/* attack: changes the mode of a read-only file through a descriptor
   escaped: fchmod(2) succeeds
   layer: mount
   control: outside
   source: Landlock's documented gap */
#include "probe.h"

PROBE() {
  MUST_FAIL(SYS_fchmod, open(ReadOnly("file"), O_RDONLY), 0600);
}
