/* attack: reads a file of the workspace that is hidden from it
   escaped: the secret is read
   layer: mount
   control: outside
   source: a policy's hide */
#include "probe.h"

PROBE() {
  MustNotRead(Workspace("guarded/secret"));
}
