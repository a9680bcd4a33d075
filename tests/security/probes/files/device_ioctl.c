/* attack: asks a device that it was given for what it is not meant for
   escaped: the ioctl reaches the device
   layer: landlock
   control: none: no request that the filter allows means anything to a random device
   source: catalogue B18 */
#include "probe.h"

PROBE() {
  int flags = 0;
  const int fd = open("/dev/urandom", O_RDONLY);
  if (fd < 0) Cannot("no /dev/urandom");
  MUST_FAIL(SYS_ioctl, fd, FIONREAD, &flags);
}
