/* attack: raises the limits of its user namespace, to nest further
   escaped: the file opens for writing
   layer: mount
   control: outside root
   source: catalogue, /proc */
#include "probe.h"

PROBE() {
  MustNotOpen("/proc/sys/user/max_user_namespaces", O_WRONLY);
}
