/* attack: finds itself in the host's time namespace
   escaped: it is the same
   layer: time-namespace
   control: outside
   source: catalogue E04 */
#include "probe.h"

PROBE() {
  MustBeOwnNamespace("time", "time-namespace");
}
