/* attack: looks for a mount on which set-uid programs or device nodes work
   escaped: there is one
   layer: mount
   in gvisor: allowed: no_new_privs holds for all of the call, and no other user is there
   in pure: not tried: the profile cannot ask for the flags of a mount
   control: outside
   source: catalogue B11 */
#include <sys/statvfs.h>
#include "probe.h"

PROBE() {
  static const char* const kPlaces[] = {"/", "/usr", "/tmp", "/dev/shm", "/etc"};
  struct statvfs info;
  for (int i = 0; i < 5; ++i) {
    if (statvfs(kPlaces[i], &info) != 0) continue;
    if ((info.f_flag & ST_NOSUID) == 0) Escaped("set-uid programs work on %s", kPlaces[i]);
  }
  if (statvfs(Workspace("."), &info) != 0 || (info.f_flag & ST_NOSUID) == 0 || (info.f_flag & ST_NODEV) == 0)
    Escaped("set-uid programs or devices work on the workspace");
  Held("mount", "nosuid everywhere");
}
