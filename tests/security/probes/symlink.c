/* Plants symlinks in the workspace that lead to a host file, and opens them. */
#include "tests/security/probes/probe.h"
int main(int argc, char** argv) {
  if (argc < 2) return 2;
  unlink("/workspace/l");
  if (symlink(argv[1], "/workspace/l") != 0) CANNOT_TRY("no symlink in the workspace");
  MustNotOpen("/workspace/l", O_RDONLY);
  unlink("/workspace/l");
  if (symlink("/proc/1/root/etc/shadow", "/workspace/l") == 0) MustNotOpen("/workspace/l", O_RDONLY);
  unlink("/workspace/l");
  CONTAINED();
}
