/* attack: makes more files in /dev/shm than it may hold
   escaped: all are made
   layer: mount or monitor
   in gvisor: allowed: they are in gVisor's memory, which is limited
   control: outside
   source: catalogue B15 */
#include "probe.h"

PROBE() {
  FillInodes("/dev/shm", 2000);
}
