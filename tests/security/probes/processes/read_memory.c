/* attack: reads the memory of another process
   escaped: process_vm_readv(2) succeeds
   layer: seccomp
   control: outside
   source: catalogue A09 */
#include "probe.h"

PROBE() {
  char byte = 1, copy = 0;
  const struct { void* base; size_t size; } here = {&copy, 1}, there = {&byte, 1};
  MUST_FAIL(SYS_process_vm_readv, getpid(), &here, 1, &there, 1, 0);
}
