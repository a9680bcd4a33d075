/* attack: looks for the host's secrets in the memory above its stack
   escaped: one is there
   layer: environment
   control: outside
   source: catalogue E06 */
#include "probe.h"

PROBE() {
  static char text[1 << 17];
  const ssize_t size = ReadText("/proc/self/environ", text, sizeof text);
  if (size < 0) Cannot("no /proc/self/environ");
  if (memmem(text, (size_t)size, "NACRE_PROBE_SECRET", 18) != NULL) Escaped("the secret is in /proc/self/environ");
  Held("environment", "it is not there");
}
