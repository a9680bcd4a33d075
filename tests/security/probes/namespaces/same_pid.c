/* attack: finds itself in the host's pid namespace
   escaped: it is the same
   layer: pid-namespace
   control: outside
   source: catalogue E04 */
#include "probe.h"

PROBE() {
  MustBeOwnNamespace("pid", "pid-namespace");
}
