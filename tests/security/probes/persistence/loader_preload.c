/* attack: has the dynamic loader of every program load its library
   escaped: a file is there
   layer: mount
   control: none: it would break the host
   source: MITRE T1574.006 */
#include "probe.h"

PROBE() {
  MustNotOpen("/etc/ld.so.preload", O_WRONLY | O_CREAT);
  MustNotOpen("/etc/ld.so.cache", O_WRONLY);
}
