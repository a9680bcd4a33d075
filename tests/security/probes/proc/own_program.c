/* attack: writes to the program that it runs as
   escaped: it opens for writing
   layer: kernel or mount
   control: none: outside it is busy
   source: CVE-2019-5736 */
#include "probe.h"

PROBE() {
  MustNotOpen("/proc/self/exe", O_WRONLY);
}
