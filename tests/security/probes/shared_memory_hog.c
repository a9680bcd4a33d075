/* The same with memory shared between processes, which resident sizes count apart. */
#include "tests/security/probes/probe.h"
int main(void) {
  fork();
  for (;;) {
    char* memory = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory != MAP_FAILED) memset(memory, 1, 1 << 20);
  }
}
