/* attack: makes a set-uid file by mknod(2)
   escaped: it succeeds
   layer: seccomp
   control: outside
   source: catalogue B11 */
#include "probe.h"

PROBE() {
  unlink(Workspace("suid5"));
  MUST_FAIL(SYS_mknod, Workspace("suid5"), S_IFREG | 04755, 0);
}
