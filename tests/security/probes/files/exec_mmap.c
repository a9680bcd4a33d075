/* attack: maps a file that it wrote as executable memory
   escaped: mmap(2) succeeds
   layer: mount
   in gvisor: allowed: gVisor keeps noexec for programs, not for mappings; what runs is the call's own
   in build: allowed: what a build makes in the workspace is executed there
   control: outside
   source: a loader of one's own */
#include "probe.h"

PROBE() {
  CopyProgram("/proc/self/exe", Workspace("code"));
  MUST_FAIL(SYS_mmap, 0, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, open(Workspace("code"), O_RDONLY), 0);
}
