/* attack: makes a file, a folder, a symlink and a fifo in a read-only folder
   escaped: one of them is there
   layer: mount
   control: outside
   source: catalogue B02 */
#include "probe.h"

PROBE() {
  MustNotOpen(ReadOnly("new"), O_WRONLY | O_CREAT);
  MUST_FAIL(SYS_mkdir, ReadOnly("folder"), 0700);
  MUST_FAIL(SYS_symlink, "x", ReadOnly("link"));
  MUST_FAIL(SYS_mknod, ReadOnly("fifo"), S_IFIFO | 0600, 0);
}
