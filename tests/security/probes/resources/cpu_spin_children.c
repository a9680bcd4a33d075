/* attack: uses the processor in several processes, each below the limit of one
   escaped: all together use more than the limit
   layer: monitor
   control: none: outside there is no limit, and it would not end
   source: catalogue D07 */
#include "probe.h"

PROBE() {
  for (int i = 0; i < 3; ++i)
    if (fork() == 0) break;
  for (volatile unsigned long i = 0;; ++i) {
  }
}
