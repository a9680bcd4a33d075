/* Leaves a set-id program in the workspace, for the host to run later: by every call with a mode. */
#include "tests/security/probes/probe.h"
int main(void) {
  int fd = open("/workspace/plain", O_RDWR | O_CREAT, 0755);
  if (fd < 0) CANNOT_TRY("cannot write to the workspace");
  static const mode_t kBits[] = {S_ISUID, S_ISGID, S_ISUID | S_ISGID};
  for (int i = 0; i < 3; ++i) {
    mode_t mode = 0755 | kBits[i];
    chmod("/workspace/plain", mode);
    fchmod(fd, mode);
    fchmodat(AT_FDCWD, "/workspace/plain", mode, 0);
    syscall(452 /* fchmodat2 */, AT_FDCWD, "/workspace/plain", mode, 0);
    close(open("/workspace/a", O_WRONLY | O_CREAT, mode));
    close(openat(AT_FDCWD, "/workspace/b", O_WRONLY | O_CREAT, mode));
    close(creat("/workspace/c", mode));
    mknod("/workspace/d", S_IFREG | mode, 0);
    close(open("/workspace", O_TMPFILE | O_RDWR, mode));
    struct { uint64_t flags, mode, resolve; } how = {O_WRONLY | O_CREAT, mode, 0};
    close((int)syscall(437 /* openat2 */, AT_FDCWD, "/workspace/e", &how, sizeof how));
    mkdir("/workspace/f", mode);
  }
  static const char* const kPaths[] = {"plain", "a", "b", "c", "d", "e", "f"};
  for (size_t i = 0; i < 7; ++i) {
    char path[64];
    struct stat info;
    snprintf(path, sizeof path, "/workspace/%s", kPaths[i]);
    if (lstat(path, &info) == 0 && (info.st_mode & (S_ISUID | S_ISGID)) != 0)
      ESCAPED("%s has mode %o", path, info.st_mode);
  }
  CONTAINED();
}
