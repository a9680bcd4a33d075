/* attack: makes a file in /dev
   escaped: it is there
   layer: mount
   in gvisor: allowed: /dev is gVisor's own, made for this call, and no program there is executed
   control: none: it would litter the host
   source: catalogue B02 */
#include "probe.h"

PROBE() {
  MustNotOpen("/dev/nacre-probe-mark", O_WRONLY | O_CREAT);
}
