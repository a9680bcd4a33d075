/* attack: leaves a file in the host's temporary folders
   escaped: the judge finds it on the host
   layer: mount
   control: none: it would litter the host
   source: catalogue E01 */
#include "probe.h"

PROBE() {
  close(open("/tmp/nacre-probe-mark", O_WRONLY | O_CREAT, 0600));
  close(open("/dev/shm/nacre-probe-mark", O_WRONLY | O_CREAT, 0600));
  MustNotOpen("/var/tmp/nacre-probe-mark", O_WRONLY | O_CREAT);
}
