/* attack: opens a read-only file for appending
   escaped: it opens
   layer: mount
   control: outside
   source: catalogue B02 */
#include "probe.h"

PROBE() {
  MustNotOpen(ReadOnly("file"), O_WRONLY | O_APPEND);
}
