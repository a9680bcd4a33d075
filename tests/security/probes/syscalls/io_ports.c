/* attack: takes the right to use I/O ports
   escaped: ioperm(2) or iopl(2) succeeds
   layer: seccomp
   control: outside root
   source: catalogue A14 */
#include "probe.h"

PROBE() {
  MUST_FAIL(SYS_ioperm, 0x80, 1, 1);
  MUST_FAIL(SYS_iopl, 3);
}
