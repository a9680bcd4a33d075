/* attack: writes into what a person's shell runs at the next login
   escaped: a file is there
   layer: mount
   control: none: it would litter the host
   source: MITRE T1546.004 */
#include "probe.h"

PROBE() {
  MustNotOpen("/root/.bashrc", O_WRONLY | O_CREAT);
  MustNotOpen("/home/user/.profile", O_WRONLY | O_CREAT);
  MustNotOpen("/etc/profile.d/nacre-probe-mark.sh", O_WRONLY | O_CREAT);
}
