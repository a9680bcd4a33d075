/* attack: truncates a read-only file by opening it for reading with O_TRUNC
   escaped: it opens
   layer: mount
   control: outside
   source: catalogue B17 */
#include "probe.h"

PROBE() {
  MustNotOpen(ReadOnly("file"), O_RDONLY | O_TRUNC);
}
