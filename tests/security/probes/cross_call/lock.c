/* attack: locks a system file that both calls read, to stall another call
   escaped: the other call cannot open it
   layer: kernel
   control: none: locks are advice, inside and outside
   calls: together
   source: catalogue E08 */
#include <sys/file.h>
#include "probe.h"

OTHER_CALL() {
  const int fd = open("/usr/bin/env", O_RDONLY);
  flock(fd, LOCK_EX);
  ReadyAndWait();
}

PROBE() {
  char* argv[] = {"env", NULL};
  close(1);
  if (RunProgram("/usr/bin/env", argv) != 0) Escaped("the program does not run");
  Held("kernel", "a lock does not stop who does not ask for it");
}
