/* attack: queues a signal with forged sender to a process of the host
   escaped: rt_sigqueueinfo(2) succeeds
   layer: pid-namespace
   control: none: a forged sender is refused everywhere
   source: si_code forgery */
#include "probe.h"

PROBE() {
  siginfo_t info;
  memset(&info, 0, sizeof info);
  info.si_code = SI_QUEUE;
  MUST_FAIL(SYS_rt_sigqueueinfo, HostPid(), SIGURG, &info);
}
