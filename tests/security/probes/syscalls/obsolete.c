/* attack: uses the oldest calls that still exist
   escaped: one reaches the kernel
   layer: seccomp
   control: outside
   source: kernel surface that nobody looks at */
#include "probe.h"

PROBE() {
  char block[256];
  struct stat info;
  stat("/", &info);
  MUST_FAIL(SYS_ustat, info.st_dev, block);
  MUST_FAIL(SYS_sysfs, 3);
  MUST_FAIL(SYS_uselib, "/lib/x");
}
