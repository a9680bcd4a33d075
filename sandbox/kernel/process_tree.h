// What the processes of a call use, seen from outside: the watchdog's eyes where no cgroup counts.
//
// Every process of a call descends from its PID 1, which adopts orphans, so walking children from
// there misses none for longer than one walk.
//
// Source: proc(5): /proc/PID/task/TID/children, statm, stat, smaps_rollup.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>

namespace nacre::sandbox::kernel {

struct TreeUse {
  uint32_t tasks = 0;  // threads of all processes but the first
  uint64_t memory_bytes = 0;
  std::chrono::microseconds cpu{0};
};

// `root` is the call's PID 1 (its pid on the host), which the caller has not reaped yet. Memory is
// the sum of resident sizes; where that exceeds `memory_limit_bytes` it is measured again with
// shared pages counted once. Stops counting at `tasks_max` tasks. What vanishes meanwhile counts 0.
TreeUse MeasureTree(pid_t root, uint64_t memory_limit_bytes, uint32_t tasks_max);

}  // namespace nacre::sandbox::kernel
