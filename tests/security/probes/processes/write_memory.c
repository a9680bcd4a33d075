/* attack: writes the memory of its first process
   escaped: process_vm_writev(2) succeeds
   layer: seccomp
   control: none: outside it is another process
   source: catalogue A09 */
#include "probe.h"

PROBE() {
  char byte = 1;
  const struct { void* base; size_t size; } part = {&byte, 1};
  MUST_FAIL(SYS_process_vm_writev, 1, &part, 1, &part, 1, 0);
}
