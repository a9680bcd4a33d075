/* attack: uses a call that was removed for its bugs
   escaped: remap_file_pages(2) reaches the kernel
   layer: seccomp
   control: none: what it does to a probe's memory is not worth a test
   source: CVE-2013-1763 era surface */
#include "probe.h"

PROBE() {
  MUST_FAIL(SYS_remap_file_pages, 0, 0, 0, 0, 0);
}
