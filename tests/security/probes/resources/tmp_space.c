/* attack: fills /tmp with twice what it may hold, in many files
   escaped: all is written
   layer: mount or monitor
   control: outside
   source: catalogue B14 */
#include "probe.h"

PROBE() {
  FillFolder("/tmp", 2L * kDiskLimit);
}
