/* attack: handles page faults through the device instead of the system call
   escaped: it opens
   layer: mount
   control: none: few kernels have it
   source: /dev/userfaultfd */
#include "probe.h"

PROBE() {
  MustNotOpen("/dev/userfaultfd", O_RDONLY);
}
