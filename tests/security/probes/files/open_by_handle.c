/* attack: opens the root folder of the host by its inode number, past every mount
   escaped: open_by_handle_at(2) succeeds
   layer: seccomp
   control: none: inode 2 is the root of ext4 only
   source: "Shocker", Docker 2014 */
#include "probe.h"

PROBE() {
  struct { struct file_handle handle; unsigned char bytes[8]; } file = {{8, 1}, {2}};
  MUST_FAIL(SYS_open_by_handle_at, open(Workspace("."), O_RDONLY), &file, O_RDONLY);
}
