/* attack: moves the workspace itself aside
   escaped: rename(2) succeeds
   layer: mount
   control: none: it would move the folder that the tests stand in
   source: mount points */
#include "probe.h"

PROBE() {
  MUST_FAIL(SYS_rename, "/workspace", "/tmp/workspace");
}
