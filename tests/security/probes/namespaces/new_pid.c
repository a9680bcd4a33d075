/* attack: makes a pid namespace, to hide in
   escaped: unshare(2) succeeds
   layer: seccomp
   control: outside root
   source: catalogue A01 */
#include "probe.h"

PROBE() {
  MUST_FAIL(SYS_unshare, CLONE_NEWPID);
}
