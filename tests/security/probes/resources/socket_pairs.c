/* attack: keeps memory in sockets
   escaped: so many pairs are made
   layer: rlimit
   control: outside
   source: catalogue, memory */
#include "probe.h"

PROBE() {
  int ends[2];
  for (int i = 0; i < kFilesLimit; ++i) if (TRY(SYS_socketpair, AF_UNIX, SOCK_STREAM, 0, ends) < 0) return;
  Escaped("so many pairs are open");
}
