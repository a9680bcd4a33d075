/* Random system calls with random arguments, many seeds, each in a child: nothing is asserted here.
   The test looks at the host afterwards. */
#include "tests/security/probes/probe.h"
static uint64_t Next(uint64_t* state) {
  *state ^= *state << 13;
  *state ^= *state >> 7;
  *state ^= *state << 17;
  return *state;
}
int main(void) {
  for (uint64_t seed = 1; seed <= 60; ++seed) {
    pid_t child = fork();
    if (child == 0) {
      alarm(1);
      uint64_t state = seed * 0x9e3779b97f4a7c15ULL;
      for (int i = 0; i < 300; ++i) {
        long number = (long)(Next(&state) % 470);
        unsigned long a[6];
        for (int j = 0; j < 6; ++j) {
          uint64_t kind = Next(&state) % 4;
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
  CONTAINED();
}
