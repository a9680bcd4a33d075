/* attack: reads what another call keeps in /tmp at the same time
   escaped: it is there
   layer: mount
   control: outside
   calls: together
   source: catalogue E01 */
#include "probe.h"

OTHER_CALL() {
  close(open("/tmp/nacre-probe-shared", O_WRONLY | O_CREAT, 0644));
  ReadyAndWait();
}

PROBE() {
  const long fd = TRY(SYS_openat, AT_FDCWD, "/tmp/nacre-probe-shared", O_RDONLY, 0);
  if (fd < 0) return;
  unlink("/tmp/nacre-probe-shared");
  Escaped("the other call's file is there");
}
