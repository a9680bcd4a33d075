/* attack: reads other processes' timers
   escaped: the file opens
   layer: mount
   control: outside root /proc/timer_list
   source: CVE-2017-5967 */
#include "probe.h"

PROBE() {
  MustNotOpen("/proc/timer_list", O_RDONLY);
}
