// How a LaunchPlan is taken apart for a warm sandbox: the steps that are taken before the call comes,
// and those that are taken when it is there. Nothing is left out and nothing is added but the wait
// between them, who takes which, and that what is mounted comes as descriptors instead of being opened
// by the child.
// The tool's process drops its capabilities and loads the filter at the end of the first part (split.h),
// where the call's cgroup has room for a second process. Or an interpreter is started there; it takes
// the steps from the drop of capabilities on itself, and runs what the cold plan would have it run.
// Pure.
#pragma once

#include "sandbox/plan.h"

namespace nacre::sandbox::zygote {

// The plan as a warm sandbox carries it out: with kAwaitCall at `prepared_steps`. Failed steps are
// reported by their index in it.
LaunchPlan MakeWarmPlan(const LaunchPlan& plan);

// The steps of a warm plan up to and with kAwaitCall, and the limits that its cgroup needs. Plans
// with equal templates can use each other's slots.
LaunchPlan TemplateOf(const LaunchPlan& warm);

// The steps behind it, with the call's own values.
LaunchPlan CallOf(const LaunchPlan& warm);

}  // namespace nacre::sandbox::zygote
