/* attack: opens twice as many descriptors as it may
   escaped: all are open
   layer: rlimit
   control: outside
   source: catalogue D08 */
#include "probe.h"

PROBE() {
  for (int i = 0; i < 2 * kFilesLimit; ++i) if (TRY(SYS_openat, AT_FDCWD, "/dev/null", O_RDONLY, 0) < 0) return;
  Escaped("so many are open");
}
