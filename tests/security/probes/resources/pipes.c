/* attack: keeps memory in pipe buffers
   escaped: so many pipes are made
   layer: rlimit
   control: outside
   source: catalogue, memory */
#include "probe.h"

PROBE() {
  int ends[2];
  for (int i = 0; i < kFilesLimit; ++i) if (TRY(SYS_pipe2, ends, 0) < 0) return;
  Escaped("so many pipes are open");
}
