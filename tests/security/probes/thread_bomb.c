/* Threads without end: they count as tasks. */
#include "tests/security/probes/probe.h"
static int Run(void* argument) {
  (void)argument;
  pause();
  return 0;
}
int main(void) {
  for (;;) {
    char* stack = mmap(NULL, 16384, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (stack == MAP_FAILED) continue;
    clone(Run, stack + 16384, CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD, NULL);
  }
}
