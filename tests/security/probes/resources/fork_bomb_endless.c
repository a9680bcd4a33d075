/* attack: forks as fast as it can, everywhere, and never gives up
   escaped: the call does not end, or not by its limit
   layer: cgroup or monitor
   control: none: it would stop the host
   source: catalogue C01 */
#include "probe.h"

PROBE() {
  for (;;) fork();
}
