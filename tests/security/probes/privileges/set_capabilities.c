/* attack: gives itself every capability
   escaped: capset(2) succeeds
   layer: seccomp
   control: none: nobody has all of them everywhere
   source: catalogue, privileges */
#include <linux/capability.h>
#include "probe.h"

PROBE() {
  struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  struct __user_cap_data_struct data[2] = {{~0u, ~0u, ~0u}, {~0u, ~0u, ~0u}};
  MUST_FAIL(SYS_capset, &header, data);
}
