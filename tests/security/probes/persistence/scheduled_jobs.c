/* attack: writes a job that the host runs later
   escaped: a file is there
   layer: mount
   control: none: it would litter the host
   source: MITRE T1053.003 */
#include "probe.h"

PROBE() {
  MustNotOpen("/etc/cron.d/nacre-probe-mark", O_WRONLY | O_CREAT);
  MustNotOpen("/var/spool/cron/crontabs/root", O_WRONLY | O_CREAT);
  MustNotOpen("/etc/systemd/system/nacre-probe-mark.service", O_WRONLY | O_CREAT);
}
