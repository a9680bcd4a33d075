/* attack: finds no_new_privs off, so that set-uid programs work
   escaped: it is off
   layer: no-new-privs
   in pure: not tried: the profile cannot ask whether it is on
   control: outside
   source: catalogue, privileges */
#include "probe.h"

PROBE() {
  if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1) Escaped("no_new_privs is off");
  Held("no-new-privs", "it is on");
}
