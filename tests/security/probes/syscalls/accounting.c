/* attack: writes the host's process accounting to its own file
   escaped: acct(2) succeeds
   layer: seccomp
   control: none: it changes the host
   source: catalogue A28 */
#include "probe.h"

PROBE() {
  MUST_FAIL(SYS_acct, Workspace("acct"));
}
