/* attack: finds a terminal among its descriptors
   escaped: one is
   layer: descriptors
   control: none: tests have no terminal
   source: catalogue, terminal */
#include "probe.h"

PROBE() {
  for (int fd = 0; fd < 1024; ++fd) if (isatty(fd)) Escaped("descriptor %d is a terminal", fd);
  Held("descriptors", "pipes only");
}
