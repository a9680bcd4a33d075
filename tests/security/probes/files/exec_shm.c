/* attack: runs a program that it wrote into /dev/shm
   escaped: it runs
   layer: mount
   control: outside
   source: write, then execute */
#include "probe.h"

PROBE() {
  CopyProgram("/proc/self/exe", "/dev/shm/nacre-probe-copy");
  char* argv[] = {"copy", "--exit-42", NULL};
  const int code = RunProgram("/dev/shm/nacre-probe-copy", argv);
  unlink("/dev/shm/nacre-probe-copy");
  if (code == 42) Escaped("it ran");
}
