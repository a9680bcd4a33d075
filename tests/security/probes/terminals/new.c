/* attack: makes a terminal of its own, to attack the code behind it
   escaped: one opens
   layer: mount
   in gvisor: allowed: the terminals are gVisor's own, made for this call
   control: outside /dev/ptmx
   source: CVE-2014-0196 */
#include "probe.h"

PROBE() {
  MustNotOpen("/dev/ptmx", O_RDWR);
  MustNotOpen("/dev/pts/ptmx", O_RDWR);
}
