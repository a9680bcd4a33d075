/* attack: leaves its children dead and not waited for: they keep their numbers
   escaped: twice as many as it may are there
   layer: cgroup or monitor or rlimit
   control: outside
   source: catalogue, zombie flood */
#include "probe.h"

PROBE() {
  for (int i = 0; i < 2 * kTasksLimit; ++i) {
    const long child = TRY(SYS_fork, 0);
    if (child == 0) _exit(0);
    if (child < 0) {
      usleep(100000);
      return;
    }
  }
  usleep(100000);
  Escaped("so many zombies are there");
}
