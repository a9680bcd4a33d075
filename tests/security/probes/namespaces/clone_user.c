/* attack: makes a user namespace for a child
   escaped: clone(2) succeeds
   layer: seccomp
   control: outside
   source: catalogue A06 */
#include "probe.h"

PROBE() {
  const long pid = TRY(SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0);
  if (pid == 0) _exit(0);
  if (pid > 0) Escaped("clone made a user namespace");
}
