/* Makes namespaces of its own, by every call that can. */
#include "tests/security/probes/probe.h"
struct Args { uint64_t v[11]; };
int main(void) {
  static const unsigned long kFlags[] = {CLONE_NEWUSER, CLONE_NEWNS, CLONE_NEWPID, CLONE_NEWNET,
                                         CLONE_NEWIPC, CLONE_NEWUTS, 0x02000000 /* NEWCGROUP */,
                                         0x80 /* NEWTIME */, CLONE_NEWUSER | CLONE_NEWNS};
  for (size_t i = 0; i < sizeof kFlags / sizeof *kFlags; ++i) {
    MUST_FAIL(unshare((int)kFlags[i]));
    if (kFlags[i] != 0x80) {
      long pid = syscall(SYS_clone, kFlags[i] | SIGCHLD, 0, 0, 0, 0);
      if (pid == 0) _exit(0);
      if (pid > 0) ESCAPED("clone with flags %lx", kFlags[i]);
    }
    struct Args args = {{kFlags[i], 0, 0, 0, SIGCHLD}};
    long pid = syscall(SYS_clone3, &args, sizeof args);
    if (pid == 0) _exit(0);
    if (pid > 0) ESCAPED("clone3 with flags %lx", kFlags[i]);
  }
  int ns = open("/proc/self/ns/user", O_RDONLY);
  if (ns >= 0) MUST_FAIL(setns(ns, 0));
  CONTAINED();
}
