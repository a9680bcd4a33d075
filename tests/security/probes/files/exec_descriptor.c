/* attack: runs a program by its descriptor, without a path
   escaped: execveat(2) runs it
   layer: seccomp
   control: none: it would replace the probe
   source: fexecve(3) */
#include "probe.h"

PROBE() {
  char* argv[] = {"true", NULL};
  MUST_FAIL(SYS_execveat, open("/usr/bin/true", O_PATH), "", argv, argv + 1, AT_EMPTY_PATH);
}
