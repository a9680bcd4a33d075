/* attack: keeps memory in semaphores
   escaped: semget(2) succeeds
   layer: seccomp
   control: outside
   source: catalogue, memory */
#include "probe.h"

PROBE() {
  const long id = TRY(SYS_semget, 0, 1, 01600);
  if (id >= 0) { syscall(SYS_semctl, id, 0, 0, 0); Escaped("a semaphore was made"); }
}
