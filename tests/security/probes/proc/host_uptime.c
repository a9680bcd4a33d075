/* attack: learns from a clock how long the host has been up, which tells its last boot and its patches
   escaped: a clock is as old as the host
   layer: time-namespace
   control: outside
   source: time_namespaces(7) */
#include "probe.h"

PROBE() {
  const char* told = HostValue("PROBE_HOST_UP_S");
  const long host = told == NULL ? 0 : atol(told);
  if (host < 120) Cannot("the host has only just been started");
  const clockid_t clocks[] = {CLOCK_BOOTTIME, CLOCK_MONOTONIC, CLOCK_MONOTONIC_RAW};
  for (size_t i = 0; i < sizeof clocks / sizeof *clocks; ++i) {
    struct timespec now = {0, 0};
    if (clock_gettime(clocks[i], &now) != 0) Cannot("a clock cannot be read");
    /* A host that was suspended has clocks that are younger than itself. */
    if (now.tv_sec > host / 2 && now.tv_sec > 60) Escaped("clock %d is %ld s old", (int)clocks[i], (long)now.tv_sec);
  }
  Held("time-namespace", "its clocks begin with the call");
}
