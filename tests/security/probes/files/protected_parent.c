/* attack: moves the folder above a protected file aside, to put its own in its place
   escaped: rename(2) succeeds
   layer: mount
   control: outside
   source: OpenShell: nested read-only paths */
#include "probe.h"

PROBE() {
  MUST_FAIL(SYS_rename, Workspace("guarded"), Workspace("aside"));
}
