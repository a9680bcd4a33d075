/* attack: keeps memory in message queues
   escaped: msgget(2) or mq_open(2) succeeds
   layer: seccomp
   control: outside
   source: catalogue, memory */
#include "probe.h"

PROBE() {
  const long id = TRY(SYS_msgget, 0, 01600);
  if (id >= 0) { syscall(SYS_msgctl, id, 0, NULL); Escaped("a queue was made"); }
  MUST_FAIL(SYS_mq_open, "nacre-probe", O_CREAT | O_RDWR, 0600, NULL);
}
