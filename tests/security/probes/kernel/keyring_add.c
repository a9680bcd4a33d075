/* attack: puts a key into a kernel keyring, which crosses namespaces
   escaped: add_key(2) succeeds
   layer: seccomp
   control: outside
   source: CVE-2016-0728 */
#include "probe.h"

PROBE() {
  MUST_FAIL(SYS_add_key, "user", "nacre-probe", "v", 1, -1 /* the thread's */);
}
