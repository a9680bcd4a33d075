/* attack: starts twice as many threads as it may: they count as tasks
   escaped: all of them run
   layer: cgroup or monitor or rlimit
   control: outside
   source: catalogue, many threads */
#include "probe.h"

static int Wait(void* argument) {
  (void)argument;
  for (;;) pause();
  return 0;
}

PROBE() {
  for (int i = 0; i < 2 * kTasksLimit; ++i) {
    char* stack = mmap(NULL, 16384, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (stack == MAP_FAILED) Cannot("no memory for a stack");
    if (clone(Wait, stack + 16384, CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM,
              NULL) < 0) {
      usleep(100000);
      Held("rlimit", "clone failed");
      return;
    }
  }
  usleep(100000);
  Escaped("so many threads ran");
}
