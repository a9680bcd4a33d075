/* Touches anonymous memory without end. */
#include "tests/security/probes/probe.h"
int main(void) {
  for (;;) {
    char* memory = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory != MAP_FAILED) memset(memory, 1, 1 << 20);
  }
}
