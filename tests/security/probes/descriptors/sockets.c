/* attack: looks for a socket among its descriptors, over which more could be received
   escaped: one is there
   layer: descriptors
   control: none: the control run leaves none open
   source: catalogue, SCM_RIGHTS */
#include "probe.h"

PROBE() {
  struct stat info;
  for (int fd = 0; fd < 1024; ++fd) if (fstat(fd, &info) == 0 && S_ISSOCK(info.st_mode)) Escaped("descriptor %d is a socket", fd);
  Held("descriptors", "pipes only");
}
