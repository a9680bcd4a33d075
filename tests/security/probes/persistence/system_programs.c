/* attack: replaces a system program
   escaped: one opens for writing or is moved
   layer: mount
   control: none: it would break the host
   source: MITRE T1554 */
#include "probe.h"

PROBE() {
  MustNotOpen("/usr/bin/env", O_WRONLY);
  MUST_FAIL(SYS_rename, "/usr/bin/env", "/usr/bin/nacre-probe-mark");
  MUST_FAIL(SYS_unlink, "/usr/bin/nacre-probe-missing/x");
}
