/* attack: looks for other processes among all numbers
   escaped: one answers
   layer: pid-namespace
   in gvisor: tier or monitor
   control: outside
   source: catalogue E04 */
#include "probe.h"

PROBE() {
  for (int pid = 3; pid < 70000; ++pid) if (pid != getpid() && (kill(pid, 0) == 0 || errno == EPERM)) Escaped("process %d is in reach", pid);
  Held("pid-namespace", "no other process");
}
