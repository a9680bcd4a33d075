/* Runs before others, or keeps their memory. */
#include <sys/resource.h>
#include "tests/security/probes/probe.h"
int main(void) {
  struct sched_param realtime = {.sched_priority = 1};
  MUST_FAIL(sched_setscheduler(0, SCHED_FIFO, &realtime));
  MUST_FAIL(setpriority(PRIO_PROCESS, 0, -5));
  MUST_FAIL(syscall(SYS_ioprio_set, 1, 0, 1 << 13));
  MUST_FAIL(mlockall(MCL_CURRENT | MCL_FUTURE));
  struct rlimit more = {RLIM_INFINITY, RLIM_INFINITY};
  MUST_FAIL(setrlimit(RLIMIT_NPROC, &more));
  MUST_FAIL(setrlimit(RLIMIT_FSIZE, &more));
  MUST_FAIL(setrlimit(RLIMIT_CORE, &more));
  void* memory = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory != MAP_FAILED) MUST_FAIL(mlock(memory, 1 << 20));
  CONTAINED();
}
