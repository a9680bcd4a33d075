/* attack: opens a read-only file for reading and again for writing through /proc/self/fd
   escaped: it opens for writing
   layer: mount
   control: outside
   source: CVE-2019-5736 technique */
#include "probe.h"

PROBE() {
  char path[64];
  const int fd = open(ReadOnly("file"), O_RDONLY);
  if (fd < 0) Cannot("the read-only file is missing");
  snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
  MustNotOpen(path, O_RDWR);
}
