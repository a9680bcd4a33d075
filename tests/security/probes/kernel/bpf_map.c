/* attack: makes a BPF map
   escaped: bpf(2) succeeds
   layer: seccomp
   control: outside root
   source: catalogue A10, CVE-2021-3490 */
#include "probe.h"

PROBE() {
  static const uint32_t attributes[32] = {2 /* array */, 4, 4, 1};
  MUST_FAIL(SYS_bpf, 0, attributes, sizeof attributes);
}
