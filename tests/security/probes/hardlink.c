/* Links a system file into the workspace, to change it there. */
#include "tests/security/probes/probe.h"
int main(void) {
  MUST_FAIL(link("/etc/passwd", "/workspace/x"));
  MUST_FAIL(link("/usr/bin/env", "/workspace/y"));
  MUST_FAIL(linkat(AT_FDCWD, "/proc/self/exe", AT_FDCWD, "/workspace/z", AT_SYMLINK_FOLLOW));
  CONTAINED();
}
