/* attack: loads a BPF program
   escaped: bpf(2) succeeds
   layer: seccomp
   control: outside root
   source: catalogue A10, CVE-2020-8835 */
#include "probe.h"

PROBE() {
  static const uint64_t code[2] = {0x00000000000000b7, 0x0000000000000095};
  struct { uint32_t type, count; uint64_t code, license; uint32_t rest[24]; } attributes = {1, 2, (uint64_t)(uintptr_t)code, (uint64_t)(uintptr_t)"GPL", {0}};
  MUST_FAIL(SYS_bpf, 5, &attributes, sizeof attributes);
}
