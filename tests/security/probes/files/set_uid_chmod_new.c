/* attack: sets the set-uid bit by a call newer than most filters
   escaped: fchmodat2(2) succeeds
   layer: seccomp
   control: outside
   source: catalogue B11 */
#include "probe.h"

PROBE() {
  close(open(Workspace("suid"), O_WRONLY | O_CREAT, 0755));
  MUST_FAIL(452 /* fchmodat2 */, AT_FDCWD, Workspace("suid"), 04755, 0);
}
