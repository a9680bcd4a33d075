/* attack: loads and unloads kernel modules
   escaped: one of the calls succeeds
   layer: seccomp
   control: none: it changes the host
   source: catalogue A28 */
#include "probe.h"

PROBE() {
  MUST_FAIL(SYS_init_module, "", 0, "");
  MUST_FAIL(SYS_finit_module, 0, "", 0);
  MUST_FAIL(SYS_delete_module, "none", 0);
}
