/* attack: uses the other two calls of io_uring without a ring
   escaped: one reaches the kernel
   layer: seccomp
   control: none: without a ring they fail everywhere
   source: CVE-2024-0582 */
#include "probe.h"

PROBE() {
  MUST_FAIL(426 /* io_uring_enter */, 0, 1, 0, 0, NULL);
  MUST_FAIL(427 /* io_uring_register */, 0, 0, NULL, 0);
}
