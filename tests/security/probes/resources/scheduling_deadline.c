/* attack: reserves processor time by deadline
   escaped: sched_setattr(2) succeeds
   layer: seccomp
   control: outside root
   source: catalogue, SCHED_DEADLINE */
#include "probe.h"

PROBE() {
  static const struct { uint32_t size, policy; uint64_t flags; int32_t nice; uint32_t priority; uint64_t runtime, deadline, period; } first = {48, 6, 0, 0, 0, 10000000, 30000000, 30000000};
  MUST_FAIL(SYS_sched_setattr, 0, &first, 0);
}
