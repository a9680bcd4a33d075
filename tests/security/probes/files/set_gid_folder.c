/* attack: makes a set-gid folder, whose group new files inherit
   escaped: mkdir(2) succeeds
   layer: seccomp
   control: outside
   source: set-gid inheritance */
#include "probe.h"

PROBE() {
  rmdir(Workspace("sgid"));
  MUST_FAIL(SYS_mkdir, Workspace("sgid"), 02755);
  MUST_FAIL(SYS_mkdirat, AT_FDCWD, Workspace("sgid"), 02755);
}
