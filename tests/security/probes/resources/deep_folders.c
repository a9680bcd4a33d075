/* attack: nests folders deeper than any path is long, so that nobody can remove them
   escaped: they are still in the way after the call
   layer: mount or monitor
   control: none: nothing but a private file system helps against it
   source: catalogue, very long names */
#include "probe.h"

PROBE() {
  if (chdir("/tmp") != 0) Cannot("no /tmp");
  for (int i = 0; i < 3000; ++i)
    if (mkdir("d", 0700) != 0 || chdir("d") != 0) Cannot("cannot nest folders");
  Held("mount", "they are in a file system that goes with the call");
}
