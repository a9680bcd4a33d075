/* attack: makes a program in /usr
   escaped: it is there
   layer: mount
   control: none: it would litter the host
   source: catalogue B02 */
#include "probe.h"

PROBE() {
  MustNotOpen("/usr/bin/nacre-probe-mark", O_WRONLY | O_CREAT);
  MustNotOpen("/usr/local/bin/nacre-probe-mark", O_WRONLY | O_CREAT);
}
