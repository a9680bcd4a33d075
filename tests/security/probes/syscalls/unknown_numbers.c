/* attack: makes every system call that is newer than the table
   escaped: one answers other than "no such call"
   layer: seccomp
   control: none: what they do is not known
   source: catalogue A18 */
#include "probe.h"

PROBE() {
  for (long number = 470; number < 620; ++number) MUST_FAIL(number, 0, 0, 0, 0, 0, 0);
}
