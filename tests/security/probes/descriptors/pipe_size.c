/* attack: takes kernel memory by making its pipes larger
   escaped: fcntl(2) succeeds
   layer: seccomp
   control: outside
   source: F_SETPIPE_SZ, a count per user of the host */
#include "probe.h"

PROBE() {
  int ends[2];
  if (pipe(ends) != 0) Cannot("no pipe");
  MUST_FAIL(SYS_fcntl, ends[0], 1031 /* F_SETPIPE_SZ */, 1 << 20);
}
