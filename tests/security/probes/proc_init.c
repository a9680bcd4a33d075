/* Reaches PID 1, whose memory is a copy of the runtime's, through /proc. */
#include "tests/security/probes/probe.h"
int main(void) {
  static const char* const kPaths[] = {"/proc/1/root/etc/shadow", "/proc/1/environ", "/proc/1/maps",
                                       "/proc/1/mem", "/proc/1/cwd", "/proc/1/exe", "/proc/1/fd",
                                       "/proc/1/cmdline", "/proc/1/status", "/proc/1/ns/mnt"};
  for (size_t i = 0; i < sizeof kPaths / sizeof *kPaths; ++i) MustNotOpen(kPaths[i], O_RDONLY);
  MustNotOpen("/proc/1/mem", O_RDWR);
  CONTAINED();
}
