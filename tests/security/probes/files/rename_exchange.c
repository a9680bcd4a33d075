/* attack: swaps a read-only file with one of its own
   escaped: renameat2(2) succeeds
   layer: mount
   control: outside
   source: RENAME_EXCHANGE */
#include "probe.h"

PROBE() {
  close(open(Workspace("mine"), O_WRONLY | O_CREAT, 0600));
  MUST_FAIL(SYS_renameat2, AT_FDCWD, ReadOnly("file"), AT_FDCWD, Workspace("mine"), 2 /* RENAME_EXCHANGE */);
}
