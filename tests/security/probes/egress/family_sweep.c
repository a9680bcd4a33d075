/* attack: makes a socket of every family and type
   escaped: one is made
   layer: seccomp
   in network-client: allowed: the profile has sockets, which lead nowhere: see tcp
   control: outside
   source: catalogue A21 */
#include "probe.h"

PROBE() {
  for (int family = 0; family < 48; ++family) for (int type = 1; type <= 10; ++type) if (syscall(SYS_socket, family, type, 0) >= 0) Escaped("socket(%d, %d)", family, type);
  MUST_FAIL(SYS_socket, AF_INET, SOCK_STREAM, 0);
}
