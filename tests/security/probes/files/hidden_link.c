/* attack: gives a hidden file a second name
   escaped: link(2) succeeds
   layer: mount
   control: outside
   source: a policy's hide */
#include "probe.h"

PROBE() {
  MUST_FAIL(SYS_linkat, AT_FDCWD, Workspace("guarded/secret"), AT_FDCWD, Workspace("seen"), 0);
}
