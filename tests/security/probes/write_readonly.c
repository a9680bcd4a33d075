/* Changes a file of a read-only mount, /readonly/file, in every way there is. */
#include <sys/time.h>
#include <sys/xattr.h>
#include "tests/security/probes/probe.h"
int main(void) {
  const char* path = "/readonly/file";
  MustNotOpen(path, O_WRONLY);
  MustNotOpen(path, O_RDWR);
  MustNotOpen(path, O_WRONLY | O_TRUNC);
  MustNotOpen(path, O_RDONLY | O_TRUNC);
  MustNotOpen("/readonly/new", O_WRONLY | O_CREAT);
  MUST_FAIL(truncate(path, 0));
  MUST_FAIL(unlink(path));
  MUST_FAIL(rename(path, "/readonly/other"));
  MUST_FAIL(rename("/readonly", "/other"));
  MUST_FAIL(link(path, "/workspace/linked"));
  MUST_FAIL(symlink("x", "/readonly/s"));
  MUST_FAIL(mkdir("/readonly/d", 0700));
  MUST_FAIL(chmod(path, 0777));
  MUST_FAIL(chown(path, 1000, 1000));
  MUST_FAIL(utimes(path, NULL));
  MUST_FAIL(setxattr(path, "user.x", "y", 1, 0));
  int fd = open(path, O_RDONLY);
  if (fd < 0) CANNOT_TRY("the file is missing");
  MUST_FAIL(fchmod(fd, 0777));
  MUST_FAIL(ftruncate(fd, 0));
  char again[64];
  snprintf(again, sizeof again, "/proc/self/fd/%d", fd);
  MustNotOpen(again, O_RDWR);
  MUST_FAIL(renameat2(AT_FDCWD, path, AT_FDCWD, "/workspace/swap", RENAME_EXCHANGE));
  CONTAINED();
}
