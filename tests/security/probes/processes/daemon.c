/* attack: outlives its call: forks twice, leads a session of its own, ignores all signals
   escaped: it still writes into the workspace after the call
   layer: pid-namespace
   in pure: not tried: the profile makes no processes
   control: none: outside it would stay
   source: catalogue C03 */
#include "probe.h"

PROBE() {
  if (fork() == 0) {
    setsid();
    if (fork() == 0) {
      for (int i = 0; i < 64; ++i) signal(i, SIG_IGN);
      prctl(PR_SET_PDEATHSIG, 0);
      for (int i = 0; i < 20000; ++i) {
        const int fd = open(Workspace("alive"), O_WRONLY | O_CREAT | O_APPEND, 0600);
        if (fd >= 0 && write(fd, "x", 1) == 1) close(fd);
        usleep(500);
      }
    }
    _exit(0);
  }
  while (access(Workspace("alive"), F_OK) != 0) usleep(1000);
  Held("pid-namespace", "the judge looks whether it is gone");
}
