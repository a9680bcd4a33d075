// The call's PID 1: adopts and reaps orphans, and ends the moment the tool ends, which makes the
// kernel kill whatever the tool left behind.
#pragma once

#include <linux/filter.h>
#include <sys/types.h>

namespace nacre::sandbox {

// Locks itself down first: of its descriptors only `report` and `locked` stay, Landlock denies it
// every file, and `filter` all calls but the few it makes. Then it sends a byte to `locked`, without
// which the tool's program does not start. What fails before is reported. Async-signal-safe.
[[noreturn]] void RunReaper(pid_t tool, int report, int locked, int landlock_abi,
                            const sock_fprog& filter);

}  // namespace nacre::sandbox
