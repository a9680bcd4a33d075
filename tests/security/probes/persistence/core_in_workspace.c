/* attack: leaves a core dump, which may hold secrets, in the workspace
   escaped: the judge finds it on the host
   layer: rlimit
   control: none: hosts decide where core dumps go
   source: catalogue D10 */
#include "probe.h"

PROBE() {
  const pid_t child = fork();
  if (child == 0) {
    if (chdir(Workspace(".")) != 0) _exit(1);
    kill(getpid(), SIGSEGV);
  }
  int status = 0;
  waitpid(child, &status, 0);
  if (WCOREDUMP(status)) Escaped("a core was dumped");
  Held("rlimit", "no core was dumped");
}
