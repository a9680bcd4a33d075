/* attack: finds itself in the host's network namespace
   escaped: it is the same
   layer: network-namespace
   control: outside
   source: catalogue E04 */
#include "probe.h"

PROBE() {
  MustBeOwnNamespace("net", "network-namespace");
}
