/* attack: uses the processor without end
   escaped: it may use more than its limit
   layer: monitor or rlimit
   control: none: outside there is no limit, and it would not end
   source: catalogue D07 */
#include "probe.h"

PROBE() {
  for (volatile unsigned long i = 0;; ++i) {
  }
}
