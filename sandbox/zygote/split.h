// How a warm sandbox is set up while its tool's process is locked already: loading the filter is the
// dearest step of a call, and so it is taken before there is one.
//
// The tool's process drops its capabilities, loads the filter and waits for a child, which has neither
// done: it is cloned before, shares memory, descriptors and working directory with the tool's process,
// as a child of vfork(2) does, and only one of the two runs at any time. The child receives the call,
// mounts what comes with it, arranges descriptors and limits, says what is left, and ends. The tool's
// process goes on when it has buried it: nothing that still had a capability is beside a tool's program.
//
// Source: clone(2), CLONE_VM; vfork(2).
#pragma once

#include "sandbox/child_setup.h"

namespace nacre::sandbox::zygote {

// For SlotSteps. The first goes on with the steps that follow in both processes and comes back only when
// there could not be two: -errno. The second ends its process.
int Split(const ChildInput& input, ChildState& state, size_t at);
int HandOver(const ChildInput& input, ChildState& state, size_t at);

}  // namespace nacre::sandbox::zygote
