/* attack: starts twice as many processes as it may
   escaped: all of them run
   layer: cgroup or monitor or rlimit
   control: outside
   source: catalogue C01 */
#include "probe.h"

PROBE() {
  pid_t children[2 * kTasksLimit];
  int running = 0;
  long started = 0;
  while (running < 2 * kTasksLimit && (started = TRY(SYS_fork, 0)) > 0) children[running++] = (pid_t)started;
  if (started == 0)
    for (;;) pause();
  usleep(100000); /* the watchdog's chance */
  for (int i = 0; i < running; ++i) kill(children[i], SIGKILL);
  if (running == 2 * kTasksLimit) Escaped("%d processes ran", running);
}
