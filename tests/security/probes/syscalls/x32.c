/* attack: makes system calls by their x32 numbers, which a filter for 64 bits may not know
   escaped: the call answers
   layer: seccomp
   control: none: most kernels do not have them
   source: catalogue A05 */
#include "probe.h"

PROBE() {
  const long result = syscall(0x40000000 + 39 /* getpid */);
  if (result >= 0) Escaped("x32 getpid answered %ld", result);
}
