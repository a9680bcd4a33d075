/* Calls with a wide kernel behind them, which no honest tool needs. */
#include "tests/security/probes/probe.h"
int main(void) {
  char page[4096] = {0};
  MUST_FAIL(syscall(425 /* io_uring_setup */, 8, page));
  MUST_FAIL(syscall(426 /* io_uring_enter */, 0, 1, 0, 0, NULL));
  MUST_FAIL(syscall(427 /* io_uring_register */, 0, 0, NULL, 0));
  MUST_FAIL(syscall(SYS_bpf, 0, page, 48));
  MUST_FAIL(syscall(SYS_bpf, 5, page, 48));
  MUST_FAIL(syscall(SYS_perf_event_open, page, 0, -1, -1, 0));
  MUST_FAIL(syscall(SYS_userfaultfd, 0));
  MUST_FAIL(syscall(SYS_userfaultfd, 1));
  MUST_FAIL(syscall(SYS_fanotify_init, 0, 0));
  MUST_FAIL(syscall(447 /* memfd_secret */, 0));
  MUST_FAIL(syscall(SYS_io_setup, 8, page));
#ifdef SYS_modify_ldt
  MUST_FAIL(syscall(SYS_modify_ldt, 1, page, 16));
  MUST_FAIL(syscall(SYS_iopl, 3));
  MUST_FAIL(syscall(SYS_ioperm, 0x80, 1, 1));
#endif
  MUST_FAIL(syscall(SYS_seccomp, 1, 8, page));
  MUST_FAIL(prctl(PR_SET_SECCOMP, 2, page));
  MUST_FAIL(syscall(SYS_personality, 0x0040000 /* ADDR_NO_RANDOMIZE */));
  MUST_FAIL(syscall(SYS_personality, 0x0400000 /* READ_IMPLIES_EXEC */));
  MUST_FAIL(prctl(PR_SET_MM, 1, 0, 0, 0));
  for (long number = 463; number < 600; ++number) MUST_FAIL(syscall(number, 0, 0, 0, 0, 0, 0));
  CONTAINED();
}
