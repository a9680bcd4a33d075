/* Writes one file after the other into /tmp, whatever the errors. */
#include "tests/security/probes/probe.h"
int main(void) {
  static char block[1 << 16];
  for (unsigned i = 0;; ++i) {
    char path[64];
    snprintf(path, sizeof path, "/tmp/%u", i % 100000);
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND, 0600);
    if (fd < 0) continue;
    for (int j = 0; j < 16; ++j)
      if (write(fd, block, sizeof block) < 0) break;
    close(fd);
  }
}
