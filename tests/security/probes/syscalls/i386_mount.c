/* attack: mounts by the 32-bit gate, where the number is that of a harmless 64-bit call
   escaped: the call reaches the kernel
   layer: seccomp
   in gvisor: allowed: gVisor takes it for the 64-bit call of that number, which the filter judges
   control: outside
   source: number confusion, CVE-2009-0835 */
#include "probe.h"

static void NoGateMount(int signal) {
  (void)signal;
  Cannot("this kernel has no 32-bit calls");
}

PROBE() {
  signal(SIGSEGV, NoGateMount);
  long result = 21; /* mount; access in 64 bits */
  __asm__ volatile("int $0x80" : "+a"(result) : "b"(0), "c"(0), "d"(0), "S"(0), "D"(0) : "memory");
  Escaped("int 0x80 mount answered %ld", result);
}
