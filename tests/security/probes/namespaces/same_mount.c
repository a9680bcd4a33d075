/* attack: finds itself in the host's mount namespace
   escaped: it is the same
   layer: mount
   control: outside
   source: catalogue E04 */
#include "probe.h"

PROBE() {
  MustBeOwnNamespace("mnt", "mount");
}
