/* attack: opens a read-only file as O_PATH and then for writing
   escaped: it opens for writing
   layer: mount
   control: outside
   source: CVE-2019-5736 technique */
#include "probe.h"

PROBE() {
  char path[64];
  const int fd = open(ReadOnly("file"), O_PATH);
  snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
  MustNotOpen(path, O_WRONLY);
}
