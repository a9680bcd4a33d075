/* attack: floods the channel to the runtime without end
   escaped: it is still there after its deadline, or the runtime keeps it all
   layer: monitor
   control: none: outside there is no deadline
   source: catalogue G05
   wall: 300 */
#include "probe.h"

PROBE() {
  static char block[65536];
  for (;;) write(3, block, sizeof block);
}
