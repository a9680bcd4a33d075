/* attack: stops itself and everything it sees, so that nothing runs that could be ended
   escaped: it is still there after its deadline
   layer: monitor
   control: none: it would stop the tests
   source: catalogue C05
   wall: 150 */
#include "probe.h"

PROBE() {
  kill(-1, SIGSTOP);
  raise(SIGSTOP);
  for (;;) pause();
}
