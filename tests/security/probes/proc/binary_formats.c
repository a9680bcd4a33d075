/* attack: registers an interpreter that the host runs for a file type
   escaped: the file opens for writing
   layer: mount
   control: none: few machines have it mounted
   source: binfmt_misc */
#include "probe.h"

PROBE() {
  MustNotOpen("/proc/sys/fs/binfmt_misc/register", O_WRONLY);
}
