/* attack: joins a session keyring
   escaped: keyctl(2) succeeds
   layer: seccomp
   control: outside
   source: CVE-2016-0728 */
#include "probe.h"

PROBE() {
  MUST_FAIL(SYS_keyctl, 1 /* JOIN_SESSION_KEYRING */, NULL);
}
