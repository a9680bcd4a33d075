/* attack: makes itself the last to die when memory is short
   escaped: the file opens for writing
   layer: mount
   in gvisor: allowed: it is of gVisor's kernel, which ends no process for memory
   control: outside
   source: oom_score_adj */
#include "probe.h"

PROBE() {
  MustNotOpen("/proc/self/oom_score_adj", O_WRONLY);
}
