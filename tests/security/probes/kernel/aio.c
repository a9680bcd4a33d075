/* attack: makes an asynchronous I/O context
   escaped: io_setup(2) succeeds
   layer: seccomp
   control: outside
   source: CVE-2023-1118 era surface */
#include "probe.h"

PROBE() {
  static unsigned long context;
  MUST_FAIL(SYS_io_setup, 1, &context);
}
