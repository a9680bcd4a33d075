/* Calls that change the host as a whole. */
#include <sys/swap.h>
#include <sys/time.h>
#include "tests/security/probes/probe.h"
int main(void) {
  struct timeval now = {1, 0};
  MUST_FAIL(syscall(SYS_reboot, 0xfee1dead, 672274793, 0, 0)); /* CAD_OFF: harmless if it worked */
  MUST_FAIL(sethostname("x", 1));
  MUST_FAIL(setdomainname("x", 1));
  MUST_FAIL(syscall(SYS_init_module, "", 0, ""));
  MUST_FAIL(syscall(SYS_finit_module, 0, "", 0));
  MUST_FAIL(syscall(SYS_delete_module, "none", 0));
  MUST_FAIL(syscall(SYS_kexec_load, 0, 0, 0, 0));
  MUST_FAIL(swapon("/workspace/x", 0));
  MUST_FAIL(swapoff("/workspace/x"));
  MUST_FAIL(syscall(SYS_acct, NULL));
  MUST_FAIL(syscall(SYS_quotactl, 0, 0, 0, 0));
  MUST_FAIL(syscall(SYS_syslog, 3, NULL, 0));
  MUST_FAIL(settimeofday(&now, NULL));
  MUST_FAIL(vhangup());
  CONTAINED();
}
