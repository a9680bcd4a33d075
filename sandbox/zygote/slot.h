// The end of a slot's wait: the set-up child of a warm sandbox receives its one call and goes on with
// the call's steps, in the same process and with the same code as a cold one.
#pragma once

#include "sandbox/child_setup.h"

namespace nacre::sandbox::zygote {

// For SlotSteps. Returns only when there is no call: -errno. Ends the process
// silently when the runtime let the slot go.
int AwaitCall(const ChildInput& input, ChildState& state);

}  // namespace nacre::sandbox::zygote
