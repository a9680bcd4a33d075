/* attack: hides a namespace flag among bits that the kernel does not read
   escaped: clone(2) succeeds
   layer: seccomp
   control: outside
   source: CVE-2019-10063 technique */
#include "probe.h"

PROBE() {
  const long pid = TRY(SYS_clone, 0x100000000UL | CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0);
  if (pid == 0) _exit(0);
  if (pid > 0) Escaped("clone made a user namespace");
}
