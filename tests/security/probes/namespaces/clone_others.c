/* attack: makes each other namespace for a child
   escaped: clone(2) succeeds
   layer: seccomp
   control: outside root
   source: catalogue A06 */
#include "probe.h"

PROBE() {
  static const long kFlags[] = {CLONE_NEWNS, CLONE_NEWPID, CLONE_NEWNET, CLONE_NEWIPC, CLONE_NEWUTS, 0x02000000};
  for (int i = 0; i < 6; ++i) { const long pid = TRY(SYS_clone, kFlags[i] | SIGCHLD, 0, 0, 0, 0); if (pid == 0) _exit(0); if (pid > 0) Escaped("clone with flags %lx", kFlags[i]); }
}
