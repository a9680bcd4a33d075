/* attack: moves a hidden file aside to read it under another name
   escaped: rename(2) succeeds
   layer: mount
   control: outside
   source: a policy's hide */
#include "probe.h"

PROBE() {
  MUST_FAIL(SYS_rename, Workspace("guarded/secret"), Workspace("seen"));
}
