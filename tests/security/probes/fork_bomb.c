/* Forks as fast as it can, everywhere, and never gives up. */
#include "tests/security/probes/probe.h"
int main(void) {
  for (;;) fork();
}
