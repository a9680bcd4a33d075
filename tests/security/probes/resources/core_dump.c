/* attack: crashes, to leave a core dump or to have the host's crash handler run
   escaped: a child of it says that it dumped core
   layer: rlimit
   control: none: hosts decide where core dumps go
   source: catalogue D10, CVE-2022-0492 */
#include "probe.h"

PROBE() {
  const pid_t child = fork();
  if (child == 0) abort();
  int status = 0;
  waitpid(child, &status, 0);
  if (WCOREDUMP(status)) Escaped("a core was dumped");
  struct rlimit limit;
  /* 1 is too small for a file, and means "not to a program of the host either" (fs/coredump.c), which
     0 does not. */
  if (getrlimit(RLIMIT_CORE, &limit) != 0 || limit.rlim_max != 1) Escaped("it could dump core");
  Held("rlimit", "no core was dumped");
}
