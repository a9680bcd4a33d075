/* attack: reaches the NUMA policy code
   escaped: one of its calls answers
   layer: seccomp
   control: outside
   source: CVE-2022-42703 era surface */
#include "probe.h"

PROBE() {
  int mode;
  MUST_FAIL(SYS_get_mempolicy, &mode, NULL, 0, 0, 0);
  MUST_FAIL(SYS_set_mempolicy, 0, NULL, 0);
}
