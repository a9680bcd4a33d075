/* attack: hides a personality in bits that the kernel does not read
   escaped: personality(2) succeeds
   layer: seccomp
   control: outside
   source: CVE-2019-10063 technique */
#include "probe.h"

PROBE() {
  MUST_FAIL(SYS_personality, 0x100040000UL);
}
