/* attack: runs a program that it wrote into the workspace
   escaped: it runs
   layer: mount
   in build: allowed: what a build makes in the workspace is executed there
   control: outside
   source: write, then execute */
#include "probe.h"

PROBE() {
  CopyProgram("/proc/self/exe", Workspace("copy"));
  char* argv[] = {"copy", "--exit-42", NULL};
  if (RunProgram(Workspace("copy"), argv) == 42) Escaped("it ran");
}
