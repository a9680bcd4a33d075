/* attack: makes a time namespace
   escaped: unshare(2) succeeds
   layer: seccomp
   control: outside root
   source: catalogue A01 */
#include "probe.h"

PROBE() {
  MUST_FAIL(SYS_unshare, 0x80 /* CLONE_NEWTIME */);
}
