/* attack: runs a program that it wrote into /tmp
   escaped: it runs
   layer: mount
   control: outside
   source: write, then execute */
#include "probe.h"

PROBE() {
  CopyProgram("/proc/self/exe", "/tmp/nacre-probe-copy");
  char* argv[] = {"copy", "--exit-42", NULL};
  const int code = RunProgram("/tmp/nacre-probe-copy", argv);
  unlink("/tmp/nacre-probe-copy");
  if (code == 42) Escaped("it ran");
}
