/* attack: executes itself without end
   escaped: it is still there after its deadline
   layer: monitor
   control: none: outside there is no deadline
   source: catalogue C10
   wall: 300 */
#include "probe.h"

PROBE() {
  char* argv[] = {"nacre-probes", "resources/exec_storm", NULL};
  execv("/proc/self/exe", argv);
  Cannot("exec failed");
}
