/* attack: makes a file in the root folder
   escaped: it is there
   layer: mount
   control: none: it would litter the host
   source: catalogue B02 */
#include "probe.h"

PROBE() {
  MustNotOpen("/nacre-probe-mark", O_WRONLY | O_CREAT);
}
