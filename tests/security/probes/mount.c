/* Changes the mounts, by the old and the new calls. */
#include <sys/mount.h>
#include "tests/security/probes/probe.h"
int main(void) {
  MUST_FAIL(mount("none", "/tmp", "tmpfs", 0, ""));
  MUST_FAIL(mount(NULL, "/", NULL, MS_REMOUNT | MS_BIND, NULL));
  MUST_FAIL(mount("/usr", "/tmp", NULL, MS_BIND, NULL));
  MUST_FAIL(umount2("/proc", MNT_DETACH));
  MUST_FAIL(umount2("/workspace", MNT_DETACH));
  MUST_FAIL(syscall(SYS_pivot_root, ".", "."));
  MUST_FAIL(chroot("/tmp"));
  MUST_FAIL(syscall(428 /* open_tree */, AT_FDCWD, "/", 1));
  MUST_FAIL(syscall(429 /* move_mount */, 0, "", 0, "", 4));
  MUST_FAIL(syscall(430 /* fsopen */, "tmpfs", 0));
  MUST_FAIL(syscall(433 /* fspick */, AT_FDCWD, "/", 0));
  MUST_FAIL(syscall(442 /* mount_setattr */, AT_FDCWD, "/", 0, NULL, 0));
  CONTAINED();
}
