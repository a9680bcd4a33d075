/* attack: installs a segment descriptor of its own
   escaped: modify_ldt(2) answers
   layer: seccomp
   control: outside
   source: catalogue A14, CVE-2015-5157 */
#include "probe.h"

PROBE() {
  static char table[64];
  MUST_FAIL(SYS_modify_ldt, 0, table, sizeof table);
}
