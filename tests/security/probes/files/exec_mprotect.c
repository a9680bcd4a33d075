/* attack: maps a file that it wrote as data and makes it executable then
   escaped: mprotect(2) succeeds
   layer: seccomp
   in build: allowed: what a build makes in the workspace is executed there
   control: outside
   source: a loader of one's own */
#include "probe.h"

PROBE() {
  CopyProgram("/proc/self/exe", Workspace("code"));
  void* code = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, open(Workspace("code"), O_RDONLY), 0);
  if (code == MAP_FAILED) Cannot("cannot map a file");
  MUST_FAIL(SYS_mprotect, code, 4096, PROT_READ | PROT_EXEC);
}
