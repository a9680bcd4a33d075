/* attack: moves a read-only file into the workspace
   escaped: rename(2) succeeds
   layer: mount
   control: outside
   source: cross-mount rename */
#include "probe.h"

PROBE() {
  MUST_FAIL(SYS_rename, ReadOnly("file"), Workspace("moved"));
}
