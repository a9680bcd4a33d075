/* attack: writes to the program of its first process, which is nacre
   escaped: it opens
   layer: mount
   control: none: outside it is another process
   source: CVE-2019-5736 */
#include "probe.h"

PROBE() {
  MustNotOpen("/proc/1/exe", O_RDWR);
  MustNotOpen("/proc/1/exe", O_RDONLY);
}
