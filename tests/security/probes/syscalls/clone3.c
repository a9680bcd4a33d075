/* attack: starts a process by the call whose flags a filter cannot see
   escaped: clone3(2) reaches the kernel
   layer: seccomp
   control: none: the child would go on as a second probe
   source: catalogue A06 */
#include "probe.h"

PROBE() {
  const uint64_t flags[11] = {CLONE_NEWUSER, 0, 0, 0, SIGCHLD};
  const long pid = TRY(SYS_clone3, flags, sizeof flags);
  if (pid == 0) _exit(0);
  if (pid > 0) Escaped("clone3 started a process");
}
