/* attack: uses up the pipe memory that all processes of a user share
   escaped: another call's pipes are small
   layer: seccomp
   in pure: not tried: the profile has no pipes
   control: none: it would make the tests' pipes small
   calls: together
   source: pipe-user-pages-soft, a count per user of the host */
#include "probe.h"

OTHER_CALL() {
  for (int i = 0; i < 4; ++i) {
    if (fork() != 0) continue;
    int ends[2];
    while (pipe(ends) == 0) fcntl(ends[0], 1031 /* F_SETPIPE_SZ */, 1 << 20);
    for (;;) pause();
  }
  usleep(30000);
  ReadyAndWait();
}

PROBE() {
  int ends[2];
  if (pipe(ends) != 0) Escaped("another call has taken all");
  if (fcntl(ends[0], 1032 /* F_GETPIPE_SZ */) < 65536) Escaped("a pipe holds %d bytes", fcntl(ends[0], 1032));
  Held("seccomp", "pipes keep their size");
}
