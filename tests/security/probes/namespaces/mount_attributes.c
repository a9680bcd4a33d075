/* attack: lifts the read-only attribute of its mounts
   escaped: mount_setattr(2) succeeds
   layer: seccomp
   control: none: it changes the host
   source: catalogue A23 */
#include "probe.h"

PROBE() {
  static const uint64_t attributes[4] = {0, 1 /* RDONLY */, 0, 0};
  MUST_FAIL(442 /* mount_setattr */, AT_FDCWD, "/", 0, attributes, sizeof attributes);
}
