// The zygote: a small process with one thread that builds sandboxes before they are needed.
//
// It is a program of its own, not a fork of the runtime: its memory holds nothing of the runtime's,
// it has no other descriptor than its channel, no network, and is cheap to fork. For each slot it does
// what a cold launch does (Launch(), the same plan's first steps) and hands the slot's ends to the
// runtime, which from then on talks to the slot alone. It is its slots' parent: they die with it, it
// reaps them and removes their cgroups. When its channel closes it ends.
//
// It never sees a call's arguments, environment, input or output.
#pragma once

#include "base/unique_fd.h"

namespace nacre::sandbox::zygote {

// Serves until the channel closes (0) or something breaks (1).
int Serve(UniqueFd channel);

}  // namespace nacre::sandbox::zygote
