/* Signals everything, and a process of the host by its number: argv[1]. */
#include "tests/security/probes/probe.h"
int main(int argc, char** argv) {
  if (argc < 2) return 2;
  signal(SIGTERM, SIG_IGN);
  pid_t host = (pid_t)atoi(argv[1]);
  if (kill(host, SIGKILL) == 0 && host != getpid()) ESCAPED("signalled pid %d", host);
  kill(-1, SIGTERM);
  kill(1, SIGKILL);
  kill(1, SIGSTOP);
  for (int pid = 3; pid < 100000; ++pid)
    if (pid != getpid() && kill(pid, 0) == 0) ESCAPED("pid %d is in reach", pid);
  CONTAINED();
}
