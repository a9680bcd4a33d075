/* attack: finds itself in the host's uts namespace
   escaped: it is the same
   layer: uts-namespace
   control: outside
   source: catalogue E04 */
#include "probe.h"

PROBE() {
  MustBeOwnNamespace("uts", "uts-namespace");
}
