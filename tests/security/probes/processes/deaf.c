/* attack: blocks and ignores all signals, and lets its parent's death pass
   escaped: it is still there after its deadline
   layer: monitor
   control: none: outside there is no deadline
   source: catalogue C06
   wall: 150 */
#include "probe.h"

PROBE() {
  sigset_t all;
  sigfillset(&all);
  sigprocmask(SIG_SETMASK, &all, NULL);
  for (int i = 1; i < 65; ++i) signal(i, SIG_IGN);
  prctl(PR_SET_PDEATHSIG, 0);
  for (;;) pause();
}
