/* attack: looks for an open folder among its descriptors, to leave by ".."
   escaped: one is there
   layer: descriptors
   control: none: the control run leaves none open
   source: CVE-2024-21626 */
#include "probe.h"

PROBE() {
  struct stat info;
  for (int fd = 0; fd < 1024; ++fd) if (fstat(fd, &info) == 0 && S_ISDIR(info.st_mode)) Escaped("descriptor %d is a folder", fd);
  Held("descriptors", "no folder");
}
