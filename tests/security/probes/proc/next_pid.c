/* attack: chooses the next pid, to have one reused
   escaped: the file opens for writing
   layer: mount
   control: outside root /proc/sys/kernel/ns_last_pid
   source: pid reuse */
#include "probe.h"

PROBE() {
  MustNotOpen("/proc/sys/kernel/ns_last_pid", O_WRONLY);
}
