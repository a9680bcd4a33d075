/* attack: has itself told of what happens in a folder by signal
   escaped: fcntl(2) succeeds
   layer: seccomp
   control: outside
   source: F_NOTIFY */
#include "probe.h"

PROBE() {
  MUST_FAIL(SYS_fcntl, open(Workspace("."), O_RDONLY), 1026 /* F_NOTIFY */, 1);
}
