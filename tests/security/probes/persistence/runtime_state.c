/* attack: changes the state of nacre itself: its policy, its log, its socket
   escaped: one of them is in reach
   layer: mount
   control: none: it would break the user's state
   source: catalogue B13, sandbox configuration rewritten by the agent */
#include "probe.h"

PROBE() {
  MustNotOpen("/root/.local/state/nacre/audit/records.jsonl", O_WRONLY);
  MustNotOpen("/root/.local/state/nacre/nacre.sock", O_PATH);
  MustNotOpen("/root/.config/nacre/policy.yaml", O_WRONLY | O_CREAT);
}
