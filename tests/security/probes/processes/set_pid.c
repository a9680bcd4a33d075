/* attack: chooses the number of a new process, to be taken for an old one
   escaped: clone3(2) takes the number
   layer: seccomp
   control: none: it needs a privilege
   source: catalogue, pid reuse */
#include "probe.h"

PROBE() {
  pid_t wanted = 77;
  const uint64_t arguments[11] = {0, 0, 0, 0, SIGCHLD, 0, 0, 0, (uint64_t)(uintptr_t)&wanted, 1, 0};
  const long pid = TRY(SYS_clone3, arguments, sizeof arguments);
  if (pid == 0) _exit(0);
  if (pid > 0) Escaped("it has number %ld", pid);
}
