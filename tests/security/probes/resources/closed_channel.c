/* attack: closes every descriptor that it was given and goes on
   escaped: it is still there after its deadline
   layer: monitor
   control: none: outside there is no deadline
   source: catalogue C13
   wall: 150 */
#include "probe.h"

PROBE() {
  for (int fd = 0; fd < 4; ++fd) close(fd);
  for (;;) pause();
}
