/* attack: makes a file that is set-uid from the start
   escaped: open(2), creat(2) or openat(2) succeeds
   layer: seccomp
   control: outside
   source: catalogue B11 */
#include "probe.h"

PROBE() {
  MUST_FAIL(SYS_open, Workspace("suid1"), O_WRONLY | O_CREAT, 04755);
  MUST_FAIL(SYS_openat, AT_FDCWD, Workspace("suid2"), O_WRONLY | O_CREAT, 06755);
  MUST_FAIL(SYS_creat, Workspace("suid3"), 04755);
  MUST_FAIL(SYS_openat, AT_FDCWD, Workspace("."), O_TMPFILE | O_RDWR, 04755);
}
