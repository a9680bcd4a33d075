/* attack: makes a file in /etc
   escaped: it is there
   layer: mount
   control: none: it would litter the host
   source: catalogue B02 */
#include "probe.h"

PROBE() {
  MustNotOpen("/etc/nacre-probe-mark", O_WRONLY | O_CREAT);
}
