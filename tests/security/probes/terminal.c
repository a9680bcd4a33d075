/* Types into the caller's terminal: TIOCSTI and TIOCLINUX, also with high bits set
   (CVE-2017-5226, CVE-2019-10063). */
#include <sys/ioctl.h>
#include "tests/security/probes/probe.h"
int main(void) {
  static const unsigned long kRequests[] = {0x5412 /* TIOCSTI */, 0x541c /* TIOCLINUX */,
                                            0x5423 /* TIOCSETD */, 0x540e /* TIOCSCTTY */};
  for (int fd = 0; fd < 4; ++fd)
    for (size_t i = 0; i < sizeof kRequests / sizeof *kRequests; ++i) {
      char c = 'x';
      for (int high = 0; high < 2; ++high) {
        long result = syscall(SYS_ioctl, fd, kRequests[i] | (high ? 0x100000000UL : 0), &c);
        if (result >= 0 || errno != EPERM)
          ESCAPED("ioctl %lx on %d reached the kernel (errno %d)", kRequests[i], fd, errno);
      }
    }
  if (open("/dev/tty", O_RDWR) >= 0) ESCAPED("there is a controlling terminal");
  CONTAINED();
}
