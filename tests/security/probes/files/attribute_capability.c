/* attack: gives a program of its own file capabilities
   escaped: setxattr(2) succeeds
   layer: seccomp
   control: outside root
   source: file capabilities */
#include "probe.h"

PROBE() {
  static const unsigned char kCapability[20] = {1, 0, 0, 2, 0xff, 0xff, 0xff, 0xff};
  close(open(Workspace("capable"), O_WRONLY | O_CREAT, 0755));
  MUST_FAIL(SYS_setxattr, Workspace("capable"), "security.capability", kCapability, sizeof kCapability, 0);
}
