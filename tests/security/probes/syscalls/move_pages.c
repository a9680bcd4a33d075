/* attack: moves pages of memory between nodes, and learns their place
   escaped: move_pages(2) answers
   layer: seccomp
   control: none: machines without NUMA do not have it
   source: CVE-2017-14140 */
#include "probe.h"

PROBE() {
  void* page = &page;
  int status = 0;
  MUST_FAIL(SYS_move_pages, 0, 1, &page, NULL, &status, 0);
}
