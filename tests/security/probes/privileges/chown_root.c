/* attack: gives a file of its own to root
   escaped: chown(2) succeeds
   layer: user-namespace
   in gvisor: allowed: the one user of gVisor has the number 0 there, and on the host owns what the call owns
   control: outside root
   source: single-id map */
#include "probe.h"

PROBE() {
  close(open(Workspace("gift"), O_WRONLY | O_CREAT, 0755));
  MUST_FAIL(SYS_chown, Workspace("gift"), 0, 0);
}
