/* attack: reads a file of its own root that no rule grants
   escaped: it opens
   layer: landlock
   control: none: the file is in the sandbox only
   source: second wall behind the mounts */
#include "probe.h"

PROBE() {
  MustNotOpen("/.nacre/file", O_RDONLY);
}
