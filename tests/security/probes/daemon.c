/* Outlives the call: forks twice, in a session of its own, and writes into the workspace forever. */
#include "tests/security/probes/probe.h"
int main(void) {
  if (fork() == 0) {
    setsid();
    if (fork() == 0) {
      for (int i = 0; i < 64; ++i) signal(i, SIG_IGN);
      prctl(PR_SET_PDEATHSIG, 0);
      for (;;) {
        int fd = open("/workspace/alive", O_WRONLY | O_CREAT | O_APPEND, 0600);
        if (fd >= 0 && write(fd, "x", 1) == 1) close(fd);
        usleep(1000);
      }
    }
    _exit(0);
  }
  while (access("/workspace/alive", F_OK) != 0) usleep(1000);
  CONTAINED();
}
