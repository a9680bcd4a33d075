/* The x32 numbers of the 64-bit calls: expected to be killed. */
#include "tests/security/probes/probe.h"
int main(void) {
#ifdef __x86_64__
  long result = syscall(0x40000000 + 39 /* getpid */);
  ESCAPED("x32 getpid answered %ld", result);
#else
  CANNOT_TRY("not x86-64");
#endif
}
