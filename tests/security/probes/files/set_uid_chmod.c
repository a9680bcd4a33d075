/* attack: leaves a set-uid program in the workspace, for the host to run
   escaped: chmod(2) succeeds
   layer: seccomp
   control: outside
   source: catalogue B11 */
#include "probe.h"

PROBE() {
  close(open(Workspace("suid"), O_WRONLY | O_CREAT, 0755));
  MUST_FAIL(SYS_chmod, Workspace("suid"), 04755);
  MUST_FAIL(SYS_fchmod, open(Workspace("suid"), O_RDONLY), 04755);
  MUST_FAIL(SYS_fchmodat, AT_FDCWD, Workspace("suid"), 04755);
}
