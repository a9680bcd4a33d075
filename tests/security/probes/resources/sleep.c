/* attack: does nothing, for longer than it may
   escaped: it is still there after its deadline
   layer: monitor
   control: none: outside there is no deadline
   source: catalogue C09
   wall: 150 */
#include "probe.h"

PROBE() {
  for (;;) pause();
}
