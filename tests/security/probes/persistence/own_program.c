/* attack: changes the program that the next call will run
   escaped: a file of the program's folder opens for writing, or a new one is there
   layer: mount
   control: none: it would break the tests
   source: CVE-2019-5736 */
#include "probe.h"

PROBE() {
  MustNotOpen("/probes/probes.json", O_WRONLY);
  MustNotOpen("/probes/nacre-probe-mark", O_WRONLY | O_CREAT);
  MUST_FAIL(SYS_unlink, "/probes/nacre-probes");
}
