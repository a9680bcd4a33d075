/* attack: installs a filter of its own that answers its own calls
   escaped: seccomp(2) gives a listener
   layer: seccomp
   control: outside root
   source: catalogue A16 */
#include <linux/filter.h>
#include "probe.h"

PROBE() {
  static struct sock_filter allow = {6, 0, 0, 0x7fff0000};
  static const struct { unsigned short size; struct sock_filter* filter; } program = {1, &allow};
  MUST_FAIL(SYS_seccomp, 1 /* SET_MODE_FILTER */, 8 /* NEW_LISTENER */, &program);
}
