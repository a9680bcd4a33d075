/* attack: kills its first process through a descriptor of it
   escaped: pidfd_send_signal(2) is accepted
   layer: landlock
   control: none: outside it is another process
   source: pidfd */
#include "probe.h"

PROBE() {
  const int init = (int)syscall(SYS_pidfd_open, 1, 0);
  if (init < 0) Cannot("no descriptors of processes");
  MUST_FAIL(SYS_pidfd_send_signal, init, SIGKILL, NULL, 0);
}
