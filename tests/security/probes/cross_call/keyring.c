/* attack: reads a key that the call before it left in a keyring of the user
   escaped: it is there
   layer: seccomp
   control: outside
   calls: in turn
   source: keyrings cross namespaces */
#include "probe.h"

OTHER_CALL() { syscall(SYS_add_key, "user", "nacre-probe-left", "v", 1, -4 /* the user's */); }

PROBE() {
  const long key = TRY(SYS_keyctl, 10 /* SEARCH */, -4, "user", "nacre-probe-left", 0);
  if (key < 0) return;
  syscall(SYS_keyctl, 9 /* UNLINK */, key, -4);
  Escaped("the other call's key is there");
}
