// The call's PID 1: adopts and reaps orphans, and ends the moment the tool ends, which makes the
// kernel kill whatever the tool left behind.
#pragma once

#include <linux/filter.h>
#include <sys/types.h>

namespace nacre::sandbox {

// Locks itself down first: of its descriptors only `report` stays, Landlock denies it every file,
// and `filter` all calls but the few it makes. Async-signal-safe.
[[noreturn]] void RunReaper(pid_t tool, int report, int landlock_abi, const sock_fprog& filter);

}  // namespace nacre::sandbox
