/* attack: changes the arguments of a system call behind its pointer while the filter looks
   escaped: a set-uid file comes of it
   layer: seccomp
   control: none: outside nothing looks
   source: catalogue 3.2, user-notification race */
#include "probe.h"

static volatile struct { uint64_t flags, mode, resolve; } how;

PROBE() {
  volatile uint64_t* shared =
      mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (shared == MAP_FAILED) Cannot("no shared memory");
  const pid_t child = fork();
  if (child == 0)
    for (;;) {
      shared[1] = 04755;
      shared[1] = 0755;
    }
  shared[0] = O_WRONLY | O_CREAT;
  (void)how;
  for (int i = 0; i < 2000; ++i) {
    if (syscall(437 /* openat2 */, AT_FDCWD, Workspace("raced"), shared, 24) >= 0) {
      kill(child, SIGKILL);
      Escaped("openat2 reached the kernel");
    }
  }
  kill(child, SIGKILL);
  MUST_FAIL(437, AT_FDCWD, Workspace("raced"), shared, 24);
}
