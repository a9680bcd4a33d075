/* attack: pins a process of the host to one processor
   escaped: one of the calls answers
   layer: pid-namespace
   control: outside
   source: sched_setaffinity */
#include "probe.h"

PROBE() {
  static unsigned long mask[128];
  MUST_FAIL(SYS_sched_getaffinity, HostPid(), sizeof mask, mask);
}
