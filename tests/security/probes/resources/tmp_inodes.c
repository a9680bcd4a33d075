/* attack: makes more files in /tmp than it may hold
   escaped: all are made
   layer: mount or monitor
   control: outside
   source: catalogue B15 */
#include "probe.h"

PROBE() {
  FillInodes("/tmp", 20000);
}
