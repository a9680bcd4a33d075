/* attack: watches the file system for what others do
   escaped: fanotify_init(2) succeeds
   layer: seccomp
   control: outside
   source: catalogue A29 */
#include "probe.h"

PROBE() {
  MUST_FAIL(SYS_fanotify_init, 0x200 /* FAN_REPORT_FID */, 0);
}
