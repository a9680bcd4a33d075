/* attack: writes the program that the host runs for a crash
   escaped: the file opens for writing
   layer: mount
   control: outside root
   source: CVE-2022-0492 technique */
#include "probe.h"

PROBE() {
  MustNotOpen("/proc/sys/kernel/core_pattern", O_WRONLY);
}
