/* attack: removes a protected file, or moves another over it
   escaped: either succeeds
   layer: mount
   control: outside
   source: catalogue B13, a policy's protect */
#include "probe.h"

PROBE() {
  close(open(Workspace("mine"), O_WRONLY | O_CREAT, 0600));
  MUST_FAIL(SYS_rename, Workspace("mine"), Workspace("guarded/kept"));
  MUST_FAIL(SYS_unlink, Workspace("guarded/kept"));
}
