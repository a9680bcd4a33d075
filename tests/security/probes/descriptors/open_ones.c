/* attack: looks for descriptors that it was not given
   escaped: one above 3 is open
   layer: descriptors
   in gvisor: tier or descriptors or monitor
   control: none: the control run leaves none open
   source: CVE-2024-21626, CVE-2016-9962 */
#include "probe.h"

PROBE() {
  for (int fd = 4; fd < 65536; ++fd) if (fcntl(fd, F_GETFD) >= 0) Escaped("descriptor %d is open", fd);
  Held("descriptors", "none but 0 to 3");
}
