/* attack: shares the session, and so the signals, of the caller's terminal
   escaped: it leads no session
   layer: session
   in pure: not tried: the profile cannot ask for its session
   control: none: the control run may lead one
   source: CVE-2017-5226 */
#include "probe.h"

PROBE() {
  if (getsid(0) != getpid()) Escaped("it is in the session of %d", (int)getsid(0));
  Held("session", "a session of its own");
}
