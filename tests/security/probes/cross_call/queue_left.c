/* attack: reads the message queue that the call before it left
   escaped: it is there
   layer: seccomp
   control: outside
   calls: in turn
   source: catalogue E01 */
#include "probe.h"

OTHER_CALL() { syscall(SYS_msgget, 0x6e616372, 01666); }

PROBE() {
  const long id = TRY(SYS_msgget, 0x6e616372, 0);
  if (id < 0) return;
  syscall(SYS_msgctl, id, 0, NULL);
  Escaped("the other call's queue is there");
}
