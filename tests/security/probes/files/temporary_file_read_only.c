/* attack: makes a nameless file in a read-only folder
   escaped: it opens
   layer: mount
   control: outside
   source: O_TMPFILE */
#include "probe.h"

PROBE() {
  MustNotOpen(ReadOnly("."), O_TMPFILE | O_RDWR);
}
