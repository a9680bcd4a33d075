/* attack: links an open read-only file into the workspace through /proc/self/fd
   escaped: linkat(2) succeeds
   layer: mount
   control: outside
   source: linkat AT_SYMLINK_FOLLOW */
#include "probe.h"

PROBE() {
  char path[64];
  const int fd = open(ReadOnly("file"), O_RDONLY);
  snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
  unlink(Workspace("linked"));
  MUST_FAIL(SYS_linkat, AT_FDCWD, path, AT_FDCWD, Workspace("linked"), AT_SYMLINK_FOLLOW);
}
