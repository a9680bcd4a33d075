/* attack: changes the size of the caller's terminal, which signals its programs
   escaped: TIOCSWINSZ reaches the kernel
   layer: seccomp
   in build: kernel
   in shell: kernel
   control: none: tests have no terminal
   source: TIOCSWINSZ */
#include "probe.h"

PROBE() {
  struct winsize size = {1, 1, 0, 0};
  MUST_FAIL(SYS_ioctl, 1, TIOCSWINSZ, &size);
}
