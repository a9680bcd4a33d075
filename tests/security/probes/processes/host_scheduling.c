/* attack: asks how a process of the host is scheduled
   escaped: one of the calls answers
   layer: pid-namespace
   control: outside
   source: sched_getscheduler */
#include "probe.h"

PROBE() {
  MUST_FAIL(SYS_sched_getscheduler, HostPid());
  MUST_FAIL(SYS_getpriority, PRIO_PROCESS, HostPid());
}
