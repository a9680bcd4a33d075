/* attack: finds a capability in the bounding set, for a file capability to raise
   escaped: one is there
   layer: capabilities
   control: outside
   source: catalogue, privileges */
#include "probe.h"

PROBE() {
  for (int each = 0; each < 41; ++each) if (prctl(PR_CAPBSET_READ, each, 0, 0, 0) == 1) Escaped("capability %d is in the bounding set", each);
  Held("capabilities", "the bounding set is empty");
}
