/* attack: waits for somebody to open the other end of a fifo
   escaped: it is still there after its deadline
   layer: monitor
   control: none: outside there is no deadline
   source: catalogue C09, B20
   wall: 150 */
#include "probe.h"

PROBE() {
  mknod(Workspace("fifo"), S_IFIFO | 0600, 0);
  open(Workspace("fifo"), O_RDONLY);
  Cannot("somebody opened the fifo");
}
