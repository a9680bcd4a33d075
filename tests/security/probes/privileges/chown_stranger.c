/* attack: gives a file of its own to another user
   escaped: chown(2) succeeds
   layer: user-namespace
   control: outside root
   source: single-id map */
#include "probe.h"

PROBE() {
  close(open(Workspace("gift"), O_WRONLY | O_CREAT, 0755));
  MUST_FAIL(SYS_chown, Workspace("gift"), 12345, -1);
}
