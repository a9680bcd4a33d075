/* attack: switches setgroups(2) on in its user namespace
   escaped: the switch opens for writing
   layer: mount
   control: outside
   source: CVE-2014-8989 */
#include "probe.h"

PROBE() {
  MustNotOpen("/proc/self/setgroups", O_WRONLY);
}
