/* attack: traces its own child, to run system calls past a filter
   escaped: ptrace(2) succeeds
   layer: seccomp
   control: outside
   source: CVE-2022-30594 */
#include "probe.h"

PROBE() {
  const pid_t child = fork();
  if (child == 0) for (;;) pause();
  const long traced = TRY(SYS_ptrace, 0x4206 /* SEIZE */, child, 0, 0);
  kill(child, SIGKILL);
  if (traced >= 0) Escaped("traced a child");
}
