/* The 32-bit gate, int 0x80, past a filter that looks at 64-bit numbers: expected to be killed. */
#include "tests/security/probes/probe.h"
int main(void) {
#ifdef __x86_64__
  long result = 20; /* getpid */
  __asm__ volatile("int $0x80" : "+a"(result) : : "memory");
  ESCAPED("int 0x80 getpid answered %ld", result);
#else
  CANNOT_TRY("not x86-64");
#endif
}
