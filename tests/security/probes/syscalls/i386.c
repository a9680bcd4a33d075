/* attack: makes system calls by the 32-bit gate, past a filter that looks at 64-bit numbers
   escaped: the call answers
   layer: seccomp
   in gvisor: allowed: gVisor takes it for the 64-bit call of that number, which the filter judges
   control: outside
   source: catalogue A04 */
#include "probe.h"

static void NoGate(int signal) {
  (void)signal;
  Cannot("this kernel has no 32-bit calls");
}

PROBE() {
  signal(SIGSEGV, NoGate);
  long result = 20; /* getpid */
  __asm__ volatile("int $0x80" : "+a"(result) : : "memory");
  if (result >= 0) Escaped("int 0x80 getpid answered %ld", result);
}
