/* Looks for the host's environment, in its own and its ancestors', and for its descriptors. */
#include "tests/security/probes/probe.h"
extern char** environ;
int main(void) {
  char buffer[65536];
  for (int fd = 4; fd < 4096; ++fd)
    if (fcntl(fd, F_GETFD) >= 0) ESCAPED("descriptor %d is open", fd);
  for (char** each = environ; *each != NULL; ++each)
    if (strstr(*each, "NACRE_TEST_SECRET") != NULL) ESCAPED("in environ: %s", *each);
  for (int pid = 0; pid < 10; ++pid) {
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/environ", pid);
    int fd = open(path, O_RDONLY);
    if (fd < 0) continue;
    ssize_t size = read(fd, buffer, sizeof buffer);
    close(fd);
    if (size > 0 && memmem(buffer, (size_t)size, "NACRE_TEST_SECRET", 17) != NULL)
      ESCAPED("in %s", path);
  }
  CONTAINED();
}
