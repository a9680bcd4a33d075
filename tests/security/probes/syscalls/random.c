/* attack: random system calls with random arguments, many seeds, each in a child
   escaped: something of the host is not as it was
   layer: seccomp or cgroup or monitor
   in gvisor: allowed: it may end our agent, and so its own call; nothing else
   control: none: nobody knows what it would do
   source: catalogue A18, system call fuzzing */
#include "probe.h"

static uint64_t Next(uint64_t* state) {
  *state ^= *state << 13;
  *state ^= *state >> 7;
  *state ^= *state << 17;
  return *state;
}

PROBE() {
  for (uint64_t seed = 1; seed <= 40; ++seed) {
    const pid_t child = fork();
    if (child == 0) {
      for (int fd = 0; fd < 4; ++fd) close(fd);
      uint64_t state = seed * 0x9e3779b97f4a7c15ULL;
      for (int i = 0; i < 300; ++i) {
        const long number = (long)(Next(&state) % 470);
        unsigned long a[6];
        for (int j = 0; j < 6; ++j) {
          const uint64_t kind = Next(&state) % 4;
          a[j] = kind == 0 ? Next(&state) % 8 : kind == 1 ? (unsigned long)&state : Next(&state);
        }
        syscall(number, a[0], a[1], a[2], a[3], a[4], a[5]);
      }
      _exit(0);
    }
    if (child > 0) {
      usleep(2000);
      kill(child, SIGKILL);
      waitpid(child, NULL, 0);
    }
  }
  Held("seccomp", "the judge looks at the host");
}
