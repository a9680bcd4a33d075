/* Takes an identity or a capability. */
#include <grp.h>
#include <linux/capability.h>
#include "tests/security/probes/probe.h"
int main(void) {
  gid_t groups[64];
  MUST_FAIL(setuid(0));
  MUST_FAIL(setgid(0));
  MUST_FAIL(setresuid(0, 0, 0));
  MUST_FAIL(setgroups(0, NULL));
  if (getgroups(64, groups) > 0) printf("note: supplementary groups\n");
  struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  struct __user_cap_data_struct data[2] = {{~0u, ~0u, ~0u}, {~0u, ~0u, ~0u}};
  MUST_FAIL(syscall(SYS_capset, &header, data));
  if (prctl(PR_CAPBSET_READ, 21 /* SYS_ADMIN */, 0, 0, 0) != 0) ESCAPED("the bounding set is not empty");
  if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1) ESCAPED("no_new_privs is off");
  MUST_FAIL(prctl(PR_SET_NO_NEW_PRIVS, 0, 0, 0, 0));
  MUST_FAIL(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, 21, 0, 0));
  MUST_FAIL(prctl(PR_SET_SECUREBITS, 0, 0, 0, 0));
  CONTAINED();
}
