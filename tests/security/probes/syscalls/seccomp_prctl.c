/* attack: replaces the filter by prctl(2)
   escaped: it succeeds
   layer: seccomp
   control: outside root
   source: catalogue A27 */
#include <linux/filter.h>
#include "probe.h"

PROBE() {
  static struct sock_filter allow = {6, 0, 0, 0x7fff0000};
  static const struct { unsigned short size; struct sock_filter* filter; } program = {1, &allow};
  MUST_FAIL(SYS_prctl, PR_SET_SECCOMP, 2, &program);
}
