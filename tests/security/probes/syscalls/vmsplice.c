/* attack: gives its pages to a pipe, where no process maps them
   escaped: vmsplice(2) succeeds
   layer: seccomp
   control: outside
   source: CVE-2008-0600 */
#include "probe.h"

PROBE() {
  int ends[2];
  if (pipe(ends) != 0) Cannot("no pipe");
  static char page[4096];
  const struct { void* base; size_t size; } part = {page, sizeof page};
  MUST_FAIL(SYS_vmsplice, ends[1], &part, 1, 0);
}
