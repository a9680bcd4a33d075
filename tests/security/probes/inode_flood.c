/* Empty files without end. */
#include "tests/security/probes/probe.h"
int main(void) {
  for (unsigned i = 0;; ++i) {
    char path[64];
    snprintf(path, sizeof path, "/tmp/%u", i);
    close(open(path, O_WRONLY | O_CREAT, 0600));
  }
}
