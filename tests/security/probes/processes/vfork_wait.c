/* attack: waits in vfork(2), where no signal but the last reaches it
   escaped: it is still there after its deadline
   layer: monitor
   in pure: not tried: the profile makes no processes
   control: none: outside there is no deadline
   source: catalogue C09
   wall: 150 */
#include "probe.h"

static int Wait(void* argument) {
  (void)argument;
  for (;;) pause();
  return 0;
}

PROBE() {
  static char stack[16384];
  clone(Wait, stack + sizeof stack, CLONE_VM | CLONE_VFORK | SIGCHLD, NULL);
}
