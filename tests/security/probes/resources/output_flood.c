/* attack: prints twice what it may
   escaped: all of it is taken
   layer: monitor
   control: none: outside nothing counts it
   source: catalogue D03 */
#include "probe.h"

PROBE() {
  Flood(1);
}
