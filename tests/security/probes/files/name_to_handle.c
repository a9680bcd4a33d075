/* attack: asks for the handle of a file, to find others by number
   escaped: name_to_handle_at(2) succeeds
   layer: seccomp
   control: outside
   source: "Shocker", Docker 2014 */
#include "probe.h"

PROBE() {
  struct { struct file_handle handle; unsigned char bytes[120]; } file = {{120, 0}, {0}};
  int mount_id;
  MUST_FAIL(SYS_name_to_handle_at, AT_FDCWD, Workspace("."), &file, &mount_id, 0);
}
