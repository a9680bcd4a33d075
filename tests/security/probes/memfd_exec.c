/* Runs a program that is in no file: memfd, and execveat on a descriptor. */
#include "tests/security/probes/probe.h"
int main(void) {
  MUST_FAIL(syscall(SYS_memfd_create, "x", 0));
  MUST_FAIL(syscall(SYS_memfd_create, "x", 1));
  MUST_FAIL(syscall(SYS_memfd_create, "x", 0x10));
  char* argv[] = {"env", NULL};
  int fd = open("/usr/bin/env", O_PATH);
  MUST_FAIL(syscall(SYS_execveat, fd, "", argv, argv + 1, AT_EMPTY_PATH));
  CONTAINED();
}
