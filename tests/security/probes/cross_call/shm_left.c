/* attack: reads what the call before it left in /dev/shm
   escaped: it is there
   layer: mount
   control: outside
   calls: in turn
   source: catalogue E01 */
#include "probe.h"

OTHER_CALL() { close(open("/dev/shm/nacre-probe-left", O_WRONLY | O_CREAT, 0644)); }

PROBE() {
  const long fd = TRY(SYS_openat, AT_FDCWD, "/dev/shm/nacre-probe-left", O_RDONLY, 0);
  if (fd < 0) return;
  unlink("/dev/shm/nacre-probe-left");
  Escaped("the other call's file is there");
}
