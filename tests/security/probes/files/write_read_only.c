/* attack: opens a read-only file for writing
   escaped: it opens
   layer: mount
   control: outside
   source: catalogue B02 */
#include "probe.h"

PROBE() {
  MustNotOpen(ReadOnly("file"), O_WRONLY);
  MustNotOpen(ReadOnly("file"), O_RDWR);
}
