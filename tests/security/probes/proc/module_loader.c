/* attack: names the program that the kernel runs to load a module
   escaped: the file opens for writing
   layer: mount
   control: outside root /proc/sys/kernel/modprobe
   source: modprobe_path */
#include "probe.h"

PROBE() {
  MustNotOpen("/proc/sys/kernel/modprobe", O_WRONLY);
}
