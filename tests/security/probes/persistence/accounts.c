/* attack: adds an account to the host
   escaped: the file opens for writing
   layer: mount
   control: none: it would break the host
   source: MITRE T1136.001 */
#include "probe.h"

PROBE() {
  MustNotOpen("/etc/passwd", O_WRONLY | O_APPEND);
  MustNotOpen("/etc/shadow", O_WRONLY | O_APPEND);
  MustNotOpen("/etc/sudoers.d/nacre-probe-mark", O_WRONLY | O_CREAT);
}
