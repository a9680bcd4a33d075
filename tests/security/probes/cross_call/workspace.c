/* attack: reads the workspace of another call by any name
   escaped: the other call's file is there
   layer: mount
   control: none: the control run has one workspace
   calls: together
   source: catalogue E01 */
#include "probe.h"

OTHER_CALL() {
  close(open(Workspace("of-the-other"), O_WRONLY | O_CREAT, 0644));
  ReadyAndWait();
}

PROBE() {
  MustNotOpen(Workspace("of-the-other"), O_RDONLY);
  MustNotOpen("/proc/2/cwd/of-the-other", O_RDONLY);
  MustNotOpen("/proc/3/root/workspace/of-the-other", O_RDONLY);
}
