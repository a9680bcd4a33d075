/* attack: configures a file system by the newer calls
   escaped: one succeeds
   layer: seccomp
   control: outside root
   source: CVE-2022-0185 */
#include "probe.h"

PROBE() {
  MUST_FAIL(430 /* fsopen */, "tmpfs", 0);
  MUST_FAIL(433 /* fspick */, AT_FDCWD, "/", 0);
}
