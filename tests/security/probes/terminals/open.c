/* attack: opens its controlling terminal by name
   escaped: it opens
   layer: mount
   control: none: tests have no terminal
   source: /dev/tty */
#include "probe.h"

PROBE() {
  MustNotOpen("/dev/tty", O_RDWR);
  MustNotOpen("/dev/console", O_WRONLY);
}
