/* attack: swaps its own file with a symlink to a read-only one while it opens it for writing
   escaped: the read-only file opens for writing
   layer: mount
   control: outside
   source: check, then use */
#include "probe.h"

PROBE() {
  struct stat target, found;
  if (stat(ReadOnly("file"), &target) != 0) Cannot("the read-only file is missing");
  close(open(Workspace("mine"), O_WRONLY | O_CREAT, 0600));
  unlink(Workspace("lure"));
  if (symlink(ReadOnly("file"), Workspace("lure")) != 0) Cannot("no symlink in the workspace");
  const pid_t child = fork();
  if (child == 0)
    for (;;) syscall(SYS_renameat2, AT_FDCWD, Workspace("mine"), AT_FDCWD, Workspace("lure"), 2);
  int hit = 0;
  for (const int64_t end = NowMs() + PatienceMs(); NowMs() < end && !hit;) {
    const int fd = open(Workspace("mine"), O_WRONLY);
    hit = fd >= 0 && fstat(fd, &found) == 0 && found.st_ino == target.st_ino && found.st_dev == target.st_dev;
    if (fd >= 0) close(fd);
  }
  kill(child, SIGKILL);
  if (hit) Escaped("opened a read-only file for writing");
  MustNotOpen(ReadOnly("file"), O_WRONLY);
}
