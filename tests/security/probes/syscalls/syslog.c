/* attack: reads the kernel's log
   escaped: syslog(2) answers
   layer: seccomp
   control: outside root
   source: catalogue A28 */
#include "probe.h"

PROBE() {
  static char text[4096];
  MUST_FAIL(SYS_syslog, 3, text, sizeof text);
}
