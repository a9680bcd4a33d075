/* attack: makes a file of the size of a disk
   escaped: it has the size
   layer: rlimit
   control: outside
   source: catalogue, sparse bombs */
#include "probe.h"

PROBE() {
  signal(SIGXFSZ, SIG_IGN);
  const int fd = open(Workspace("sparse"), O_RDWR | O_CREAT, 0600);
  MUST_FAIL(SYS_ftruncate, fd, 2L * kDiskLimit);
}
