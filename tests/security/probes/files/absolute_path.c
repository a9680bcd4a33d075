/* attack: opens a file of the host, which all may read, by its absolute path
   escaped: its content is read
   layer: mount
   control: outside
   source: catalogue B01 */
#include "probe.h"

PROBE() {
  MustNotRead(HostFile());
}
