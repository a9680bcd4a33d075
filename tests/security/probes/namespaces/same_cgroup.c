/* attack: finds itself in the host's cgroup namespace
   escaped: it is the same
   layer: cgroup-namespace
   control: outside
   source: catalogue E04 */
#include "probe.h"

PROBE() {
  MustBeOwnNamespace("cgroup", "cgroup-namespace");
}
