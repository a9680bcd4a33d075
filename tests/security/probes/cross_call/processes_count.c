/* attack: uses up the number of processes that a user of the host may have
   escaped: another call cannot fork
   layer: user-namespace
   in pure: not tried: the profile makes no processes
   control: none: it would stop the tests
   calls: together
   source: catalogue E07, RLIMIT_NPROC */
#include "probe.h"

OTHER_CALL() {
  for (int i = 0; i < kTasksLimit - 3; ++i)
    if (fork() == 0)
      for (;;) pause();
  ReadyAndWait();
}

PROBE() {
  for (int i = 0; i < kTasksLimit - 3; ++i) {
    const pid_t child = fork();
    if (child < 0) Escaped("another call has taken all: %s", strerror(errno));
    if (child == 0) _exit(0);
    waitpid(child, NULL, 0);
  }
  Held("user-namespace", "each call has its own count");
}
