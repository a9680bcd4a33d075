/* attack: lets its own key log in
   escaped: a file is there
   layer: mount
   control: none: it would litter the host
   source: MITRE T1098.004 */
#include "probe.h"

PROBE() {
  MustNotOpen("/root/.ssh/authorized_keys", O_WRONLY | O_CREAT);
  MustNotOpen("/etc/ssh/sshd_config.d/nacre-probe-mark.conf", O_WRONLY | O_CREAT);
}
