/* attack: loads another kernel
   escaped: kexec_load(2) or kexec_file_load(2) succeeds
   layer: seccomp
   control: none: it changes the host
   source: catalogue A28 */
#include "probe.h"

PROBE() {
  MUST_FAIL(SYS_kexec_load, 0, 0, 0, 0);
  MUST_FAIL(SYS_kexec_file_load, -1, -1, 0, "", 0);
}
