/* attack: steers the memory of another process
   escaped: process_madvise(2) answers
   layer: seccomp
   control: none: it wants a descriptor of a process
   source: Linux 5.10 */
#include "probe.h"

PROBE() {
  MUST_FAIL(440 /* process_madvise */, -1, NULL, 0, 20, 0);
}
