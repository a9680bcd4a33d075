/* attack: reads what the call before it left in /tmp
   escaped: it is there
   layer: mount
   control: outside
   calls: in turn
   source: catalogue E01 */
#include "probe.h"

OTHER_CALL() {
  const int fd = open("/tmp/nacre-probe-left", O_WRONLY | O_CREAT, 0644);
  write(fd, "host secret", 11);
}

PROBE() {
  const long fd = TRY(SYS_openat, AT_FDCWD, "/tmp/nacre-probe-left", O_RDONLY, 0);
  if (fd < 0) return;
  unlink("/tmp/nacre-probe-left");
  Escaped("the other call's file is there");
}
