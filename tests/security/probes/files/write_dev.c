/* attack: makes a file in /dev
   escaped: it is there
   layer: mount
   control: none: it would litter the host
   source: catalogue B02 */
#include "probe.h"

PROBE() {
  MustNotOpen("/dev/nacre-probe-mark", O_WRONLY | O_CREAT);
}
