/* attack: prints a byte now and then, so that it never looks idle
   escaped: it is still there after its deadline
   layer: monitor
   control: none: outside there is no deadline
   source: catalogue D05
   wall: 150 */
#include "probe.h"

PROBE() {
  for (;;) {
    write(1, ".", 1);
    usleep(10000);
  }
}
