/* CVE-2019-5736: writes to the program that it runs as, and to PID 1's. */
#include "tests/security/probes/probe.h"
int main(void) {
  MustNotOpen("/proc/self/exe", O_RDWR);
  MustNotOpen("/proc/1/exe", O_RDWR);
  int fd = open("/proc/self/exe", O_PATH);
  char path[64];
  snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
  MustNotOpen(path, O_WRONLY);
  CONTAINED();
}
