/* attack: has the dynamic loader run a program that it wrote, which is a read and not an exec
   escaped: it runs
   layer: mount
   in build: allowed: what a build makes in the workspace is executed there
   control: outside
   source: ld-linux.so past Landlock's EXECUTE right */
#include "probe.h"

PROBE() {
  CopyProgram("/usr/bin/true", Workspace("true"));
  char* argv[] = {"ld.so", (char*)Workspace("true"), NULL};
  close(2);
  const int code = RunProgram("/lib64/ld-linux-x86-64.so.2", argv);
  if (code < 0) Cannot("no dynamic loader");
  if (code == 0) Escaped("it ran");
  Held("mount", "the loader could not map it");
}
