/* attack: removes and renames a device that every program uses
   escaped: either succeeds
   layer: mount
   in gvisor: allowed: the device is gVisor's own, made for this call
   control: none: it would break the host
   source: CVE-2025-31133 */
#include "probe.h"

PROBE() {
  MUST_FAIL(SYS_unlink, "/dev/null");
  MUST_FAIL(SYS_rename, "/dev/null", "/dev/nacre-probe-mark");
}
