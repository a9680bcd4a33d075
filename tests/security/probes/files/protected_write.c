/* attack: writes to a protected file in the writable workspace
   escaped: it opens
   layer: mount
   in gvisor: allowed: gVisor answers that it was cut; the file on the host is as it was
   control: outside
   source: catalogue B13, a policy's protect */
#include "probe.h"

PROBE() {
  MustNotOpen(Workspace("guarded/kept"), O_WRONLY);
  MUST_FAIL(SYS_truncate, Workspace("guarded/kept"), 0);
}
