/* attack: finds itself in the host's ipc namespace
   escaped: it is the same
   layer: ipc-namespace
   control: outside
   source: catalogue E04 */
#include "probe.h"

PROBE() {
  MustBeOwnNamespace("ipc", "ipc-namespace");
}
