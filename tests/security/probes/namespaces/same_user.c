/* attack: finds itself in the host's user namespace
   escaped: it is the same
   layer: user-namespace
   control: outside
   source: catalogue E04 */
#include "probe.h"

PROBE() {
  MustBeOwnNamespace("user", "user-namespace");
}
