/* attack: touches twice the memory, shared, which resident sizes count apart
   escaped: all of it is there
   layer: cgroup or monitor
   control: outside
   source: catalogue D01 */
#include "probe.h"

PROBE() {
  TouchMemory(2 * (size_t)kMemoryLimit, MAP_SHARED);
}
