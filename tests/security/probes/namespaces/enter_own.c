/* attack: enters a namespace by a file of /proc
   escaped: setns(2) succeeds
   layer: seccomp
   control: outside root
   source: catalogue, setns */
#include "probe.h"

PROBE() {
  MUST_FAIL(SYS_setns, open("/proc/self/ns/net", O_RDONLY), 0);
}
