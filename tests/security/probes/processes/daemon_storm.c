/* attack: forks a new process faster than anybody can kill the old one
   escaped: one still writes into the workspace after the call
   layer: pid-namespace or cgroup or monitor
   control: none: outside it would stay
   source: fork race against kill */
#include "probe.h"

PROBE() {
  if (fork() == 0) {
    setsid();
    for (int i = 0; i < 200000; ++i) {
      const int fd = open(Workspace("alive"), O_WRONLY | O_CREAT | O_APPEND, 0600);
      write(fd, "x", 1);
      close(fd);
      if (fork() > 0) _exit(0);
    }
    _exit(0);
  }
  while (access(Workspace("alive"), F_OK) != 0) usleep(1000);
  usleep(5000);
  Held("pid-namespace", "the judge looks whether it is gone");
}
