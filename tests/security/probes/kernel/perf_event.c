/* attack: opens a performance counter
   escaped: perf_event_open(2) succeeds
   layer: seccomp
   control: outside
   source: catalogue A12, CVE-2013-2094 */
#include "probe.h"

PROBE() {
  static uint64_t attributes[16] = {1 | (128ULL << 32), 0 /* cpu clock */, 0, 0, 0, 0x60 /* exclude kernel, hypervisor */};
  MUST_FAIL(SYS_perf_event_open, attributes, 0, -1, -1, 0);
}
