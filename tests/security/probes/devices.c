/* Makes device nodes, and controls the devices it was given. */
#include <sys/ioctl.h>
#include <sys/sysmacros.h>
#include "tests/security/probes/probe.h"
int main(void) {
  static const char* const kDirectories[] = {"/tmp", "/workspace", "/dev/shm"};
  for (int i = 0; i < 3; ++i) {
    char path[64];
    snprintf(path, sizeof path, "%s/node", kDirectories[i]);
    MUST_FAIL(mknod(path, S_IFCHR | 0600, makedev(1, 1)));
    MUST_FAIL(mknod(path, S_IFBLK | 0600, makedev(254, 0)));
    MUST_FAIL(mknodat(AT_FDCWD, path, S_IFCHR | 0600, makedev(1, 3)));
  }
  int fd = open("/dev/urandom", O_RDWR);
  int bits = 1;
  if (fd >= 0) MUST_FAIL(ioctl(fd, 0x40045201 /* RNDADDTOENTCNT */, &bits));
  MUST_FAIL(chmod("/dev/null", 0600));
  MUST_FAIL(unlink("/dev/null"));
  CONTAINED();
}
