/* attack: reserves twice the space that a file may have
   escaped: it is reserved
   layer: rlimit
   control: outside
   source: fallocate(2) */
#include "probe.h"

PROBE() {
  signal(SIGXFSZ, SIG_IGN);
  const int fd = open(Workspace("large"), O_RDWR | O_CREAT, 0600);
  MUST_FAIL(SYS_fallocate, fd, 0, 0, 2L * kDiskLimit);
}
