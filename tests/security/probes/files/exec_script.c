/* attack: runs a script that it wrote, by its #! line
   escaped: it runs
   layer: mount
   in build: allowed: what a build makes in the workspace is executed there
   control: outside
   source: write, then execute */
#include "probe.h"

PROBE() {
  const int fd = open(Workspace("script"), O_WRONLY | O_CREAT | O_TRUNC, 0755);
  if (write(fd, "#!/bin/sh\nexit 42\n", 18) != 18) Cannot("cannot write a script");
  close(fd);
  char* argv[] = {"script", NULL};
  if (RunProgram(Workspace("script"), argv) == 42) Escaped("it ran");
}
