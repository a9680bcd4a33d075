/* attack: opens the way to the hypervisor
   escaped: one opens
   layer: mount
   control: none: not every machine is virtual
   source: /dev/vsock */
#include "probe.h"

PROBE() {
  MustNotOpen("/dev/vsock", O_RDONLY);
  MustNotOpen("/dev/vhost-vsock", O_RDONLY);
  MustNotOpen("/dev/vhost-net", O_RDONLY);
}
