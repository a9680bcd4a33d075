/* attack: compares kernel pointers of two processes
   escaped: kcmp(2) answers
   layer: seccomp
   control: outside
   source: catalogue A29 */
#include "probe.h"

PROBE() {
  MUST_FAIL(SYS_kcmp, getpid(), getpid(), 0, 0, 1);
}
