/* attack: keeps memory in a segment that no process maps
   escaped: shmget(2) succeeds
   layer: seccomp
   control: outside
   source: catalogue, memory */
#include "probe.h"

PROBE() {
  const long id = TRY(SYS_shmget, 0, 4096, 01600);
  if (id >= 0) { syscall(SYS_shmctl, id, 0, NULL); Escaped("a segment was made"); }
}
