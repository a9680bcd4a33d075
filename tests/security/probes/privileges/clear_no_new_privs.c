/* attack: switches no_new_privs off
   escaped: prctl(2) succeeds
   layer: no-new-privs
   in pure: not tried: the profile cannot ask whether it is on
   control: none: the kernel offers no such switch
   source: catalogue A27 */
#include "probe.h"

PROBE() {
  MUST_FAIL(SYS_prctl, PR_SET_NO_NEW_PRIVS, 0, 0, 0, 0);
  if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1) Escaped("no_new_privs is off");
  Held("no-new-privs", "it is on");
}
