/* attack: makes more files in /tmp than it may hold
   escaped: all are made
   layer: mount or monitor
   in gvisor: allowed: gVisor's /tmp does not count files; they are in its memory, which is limited
   control: outside
   source: catalogue B15 */
#include "probe.h"

PROBE() {
  FillInodes("/tmp", 20000);
}
