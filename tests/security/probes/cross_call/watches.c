/* attack: uses up the file watches that all processes of a user share
   escaped: another call gets none
   layer: user-namespace
   in pure: not tried: the profile has no file watches
   control: outside
   calls: together
   source: catalogue E07, a count per user of the host */
#include <sys/inotify.h>
#include "probe.h"

OTHER_CALL() {
  for (int i = 0; i < 5; ++i) {
    if (fork() != 0) continue;
    for (int j = 0; j < 60; ++j)
      if (inotify_init1(0) < 0) break;
    for (;;) pause();
  }
  usleep(30000);
  ReadyAndWait();
}

PROBE() {
  if (inotify_init1(0) < 0) Escaped("another call has taken all: %s", strerror(errno));
  Held("user-namespace", "each call has its own count");
}
