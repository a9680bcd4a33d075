/* attack: looks for the processes of another call that runs at the same time
   escaped: one is there
   layer: pid-namespace
   control: outside
   calls: together
   source: catalogue E04 */
#include <dirent.h>
#include "probe.h"

OTHER_CALL() { ReadyAndWait(); }

PROBE() {
  DIR* processes = opendir("/proc");
  if (processes == NULL) Cannot("no /proc");
  struct dirent* entry;
  while ((entry = readdir(processes)) != NULL) {
    const int pid = atoi(entry->d_name);
    if (pid > 1 && pid != getpid()) Escaped("process %d is there", pid);
  }
  Held("pid-namespace", "no other process");
}
