/* attack: looks for the host's secrets in its environment
   escaped: one is there
   layer: environment
   control: outside
   source: catalogue E06 */
#include "probe.h"

PROBE() {
  if (getenv("NACRE_PROBE_SECRET") != NULL) Escaped("the secret is in the environment");
  Held("environment", "it is not there");
}
