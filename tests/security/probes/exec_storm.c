/* Executes itself without end: ends by time, and costs the host nothing that stays. */
#include "tests/security/probes/probe.h"
int main(int argc, char** argv) {
  (void)argc;
  execv("/probes/exec_storm", argv);
  ESCAPED("exec failed");
}
