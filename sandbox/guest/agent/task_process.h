// The call's program in a guest: its start, and what all processes of the guest use.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <variant>

#include "base/result.h"
#include "base/unique_fd.h"
#include "sandbox/guest/guest_protocol.h"

namespace nacre::sandbox::guest {

// Our ends of the program's pipes.
struct TaskProcess {
  pid_t pid = -1;
  UniqueFd input;
  UniqueFd output;
  UniqueFd error_output;
  UniqueFd channel;
  Ready ready;
};

// Started, or the step that failed: then nothing of the program has run. An Error when the guest is
// out of descriptors or processes.
Result<std::variant<TaskProcess, Failed>> StartTask(const Task& task);

struct GuestUse {
  uint32_t tasks = 0;  // all but our own
  uint64_t memory_bytes = 0;
  std::chrono::microseconds cpu{0};
};

// From /proc: every process of the guest but this one.
GuestUse MeasureGuest();

}  // namespace nacre::sandbox::guest
