/* attack: changes its supplementary groups
   escaped: setgroups(2) succeeds
   layer: seccomp
   control: outside root
   source: CVE-2018-7169 */
#include "probe.h"

PROBE() {
  MUST_FAIL(SYS_setgroups, 0, NULL);
}
