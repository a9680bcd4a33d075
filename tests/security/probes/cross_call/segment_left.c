/* attack: attaches the shared memory that the call before it left
   escaped: it is there
   layer: seccomp
   control: outside
   calls: in turn
   source: catalogue E01 */
#include "probe.h"

OTHER_CALL() { syscall(SYS_shmget, 0x6e616372, 4096, 01666); }

PROBE() {
  const long id = TRY(SYS_shmget, 0x6e616372, 4096, 0);
  if (id < 0) return;
  syscall(SYS_shmctl, id, 0, NULL);
  Escaped("the other call's segment is there");
}
