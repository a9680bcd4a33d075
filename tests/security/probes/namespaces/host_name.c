/* attack: changes the machine's name
   escaped: sethostname(2) succeeds
   layer: seccomp
   control: none: it changes the host
   source: catalogue A28 */
#include "probe.h"

PROBE() {
  MUST_FAIL(SYS_sethostname, "probe", 5);
  MUST_FAIL(SYS_setdomainname, "probe", 5);
}
