/* attack: has the host run a helper program for a key
   escaped: request_key(2) reaches the kernel
   layer: seccomp
   control: none: it would run the helper
   source: /sbin/request-key */
#include "probe.h"

PROBE() {
  MUST_FAIL(SYS_request_key, "user", "nacre-probe", NULL, -1);
}
