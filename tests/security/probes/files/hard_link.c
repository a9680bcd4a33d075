/* attack: links a read-only file into the writable workspace, to change it there
   escaped: link(2) succeeds
   layer: mount
   control: outside
   source: catalogue B08 */
#include "probe.h"

PROBE() {
  unlink(Workspace("linked"));
  MUST_FAIL(SYS_linkat, AT_FDCWD, ReadOnly("file"), AT_FDCWD, Workspace("linked"), 0);
}
