/* attack: makes a set-uid file by openat2(2), whose mode lies behind a pointer
   escaped: it succeeds
   layer: seccomp
   control: outside
   source: arguments that a filter cannot see */
#include "probe.h"

PROBE() {
  const struct { uint64_t flags, mode, resolve; } how = {O_WRONLY | O_CREAT, 04755, 0};
  unlink(Workspace("suid4"));
  MUST_FAIL(437 /* openat2 */, AT_FDCWD, Workspace("suid4"), &how, sizeof how);
}
