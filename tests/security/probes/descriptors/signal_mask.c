/* attack: starts with signals blocked or ignored, as its parent had them
   escaped: one is
   layer: descriptors
   control: none: the control run starts clean
   source: inherited state */
#include "probe.h"

PROBE() {
  sigset_t mask;
  sigprocmask(SIG_SETMASK, NULL, &mask);
  for (int each = 1; each < 32; ++each) { struct sigaction action; if (sigismember(&mask, each) == 1) Escaped("signal %d is blocked", each); if (sigaction(each, NULL, &action) == 0 && action.sa_handler == SIG_IGN) Escaped("signal %d is ignored", each); }
  Held("descriptors", "signals are as they should be");
}
