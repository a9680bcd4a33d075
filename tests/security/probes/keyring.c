/* Kernel keyrings, which cross namespaces. */
#include "tests/security/probes/probe.h"
int main(void) {
  MUST_FAIL(syscall(SYS_add_key, "user", "k", "v", 1, -3));
  MUST_FAIL(syscall(SYS_request_key, "user", "k", NULL, -3));
  MUST_FAIL(syscall(SYS_keyctl, 0, -3, 1));
  MUST_FAIL(syscall(SYS_keyctl, 1, NULL));
  CONTAINED();
}
