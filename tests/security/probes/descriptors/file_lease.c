/* attack: takes a lease on a file of the workspace, on which the host then has to wait
   escaped: fcntl(2) succeeds
   layer: seccomp
   control: outside
   source: F_SETLEASE */
#include "probe.h"

PROBE() {
  close(open(Workspace("leased"), O_WRONLY | O_CREAT, 0600));
  MUST_FAIL(SYS_fcntl, open(Workspace("leased"), O_RDONLY), 1024 /* F_SETLEASE */, F_RDLCK);
}
