/* Leaves the workspace by "..", by absolute path and through /proc/self/root to a file that exists on
   the host and is readable there by everyone: argv[1]. */
#include "tests/security/probes/probe.h"
int main(int argc, char** argv) {
  char path[5000];
  if (argc < 2) return 2;
  MustNotOpen(argv[1], O_RDONLY);
  snprintf(path, sizeof path, "/workspace/../../../../../../..%s", argv[1]);
  MustNotOpen(path, O_RDONLY);
  snprintf(path, sizeof path, "/proc/self/root%s", argv[1]);
  MustNotOpen(path, O_RDONLY);
  snprintf(path, sizeof path, "/proc/self/cwd/../..%s", argv[1]);
  MustNotOpen(path, O_RDONLY);
  MustNotOpen("/etc/shadow", O_RDONLY);
  MustNotOpen("/root/.ssh", O_RDONLY);
  MustNotOpen("/home", O_RDONLY);
  MustNotOpen("/var/lib", O_RDONLY);
  CONTAINED();
}
