/* System V and POSIX message passing, which hold memory that no process maps. */
#include "tests/security/probes/probe.h"
int main(void) {
  MUST_FAIL(syscall(SYS_shmget, 0, 4096, 01600));
  MUST_FAIL(syscall(SYS_msgget, 0, 01600));
  MUST_FAIL(syscall(SYS_semget, 0, 1, 01600));
  MUST_FAIL(syscall(SYS_mq_open, "x", O_CREAT | O_RDWR, 0600, NULL));
  CONTAINED();
}
