/* attack: meets another call over an abstract socket
   escaped: it connects
   layer: seccomp
   control: none: the name is the test's own
   calls: together
   source: catalogue, abstract sockets across calls */
#include "probe.h"

static struct sockaddr_un Meeting(void) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  strcpy(address.sun_path + 1, "nacre-probe-meeting");
  return address;
}

OTHER_CALL() {
  const struct sockaddr_un address = Meeting();
  const int fd = socket(AF_UNIX, SOCK_STREAM, 0);
  if (fd >= 0 && bind(fd, (const struct sockaddr*)&address, sizeof address) == 0) listen(fd, 1);
  ReadyAndWait();
}

PROBE() {
  const struct sockaddr_un address = Meeting();
  const long fd = TRY(SYS_socket, AF_UNIX, SOCK_STREAM, 0);
  if (fd >= 0 && TRY(SYS_connect, fd, &address, sizeof address) >= 0) Escaped("the calls have met");
}
