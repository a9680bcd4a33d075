/* attack: fills /dev/shm with twice what it may hold
   escaped: all is written
   layer: mount or monitor
   control: outside
   source: catalogue B14 */
#include "probe.h"

PROBE() {
  FillFolder("/dev/shm", 2L * kDiskLimit);
}
