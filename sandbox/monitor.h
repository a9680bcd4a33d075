// Monitor: waits on everything a running call can do, and ends it when it may not do more.
//
// One poll(2) loop: the call's end, its output, its channel, its input, the deadline, the caller's
// CancelToken, and a tick in which the limits that no descriptor announces are looked at.
#pragma once

#include "base/cancel_token.h"
#include "base/result.h"
#include "sandbox/launcher.h"
#include "sandbox/outcome.h"
#include "sandbox/plan.h"
#include "sandbox/sandbox.h"

namespace nacre::sandbox {

// Runs `call` to its end; on return all its processes are gone, but for PID 1, which is ours, can do
// nothing but end, and is reaped with `call`. Never blocks on the call:
// neither by what it writes nor by what it does not read.
Outcome Monitor(RunningCall& call, const LaunchPlan& plan, CallIo& io, const CancelToken& cancel);

}  // namespace nacre::sandbox
