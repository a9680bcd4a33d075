/* Traces itself, its child and PID 1; reads another process's memory; steals descriptors. */
#include <sys/ptrace.h>
#include <sys/uio.h>
#include "tests/security/probes/probe.h"
int main(void) {
  MUST_FAIL(ptrace(PTRACE_TRACEME, 0, 0, 0));
  pid_t child = fork();
  if (child == 0) for (;;) pause();
  MUST_FAIL(ptrace(PTRACE_SEIZE, child, 0, 0));
  MUST_FAIL(ptrace(PTRACE_ATTACH, 1, 0, 0));
  char byte;
  struct iovec here = {&byte, 1};
  MUST_FAIL(process_vm_readv(child, &here, 1, &here, 1, 0));
  MUST_FAIL(process_vm_writev(1, &here, 1, &here, 1, 0));
  int pidfd = (int)syscall(SYS_pidfd_open, child, 0);
  MUST_FAIL(syscall(SYS_pidfd_getfd, pidfd, 0, 0));
  MUST_FAIL(syscall(SYS_kcmp, getpid(), child, 0, 0, 0));
  kill(child, SIGKILL);
  CONTAINED();
}
