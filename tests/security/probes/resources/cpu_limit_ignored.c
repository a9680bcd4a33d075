/* attack: ignores the signal that says that its processor time is over
   escaped: it may use more than its limit
   layer: monitor or rlimit
   control: none: outside there is no limit, and it would not end
   source: SIGXCPU */
#include "probe.h"

PROBE() {
  signal(SIGXCPU, SIG_IGN);
  for (volatile unsigned long i = 0;; ++i) {
  }
}
