/* attack: moves the folder of a hidden file aside again and again while it reads the file
   escaped: the secret is read, or the folder moves
   layer: mount
   control: outside
   source: CVE-2023-27561 */
#include "probe.h"

PROBE() {
  char text[64];
  for (int i = 0; i < 200; ++i) {
    if (syscall(SYS_rename, Workspace("guarded"), Workspace("aside")) == 0) Escaped("the folder moved");
    if (ReadText(Workspace("guarded/secret"), text, sizeof text) > 0 && strstr(text, "host secret") != NULL)
      Escaped("the secret was read");
  }
  MUST_FAIL(SYS_rename, Workspace("guarded"), Workspace("aside"));
}
