// The agent: the first program in a guest (gVisor, microVM). It starts the call's program under the
// task's limits and carries its bytes, over standard input and output, to the host.
//
// It is the guest's PID 1 and runs nothing else. What it enforces (time, tasks, memory, /tmp) it
// enforces inside; the host keeps its own, wider limits around the whole guest.
#pragma once

#include <optional>

#include "sandbox/guest/guest_protocol.h"

namespace nacre::sandbox::guest {

// What is left to do before a task's program can start: nothing, or the failed step.
using Preparation = std::optional<Failed> (*)(const Task& task);

// Reads the task from `input`, speaks on `output`; 0 when the program ran and all is said.
// Single-threaded; called once.
int RunAgent(int input, int output, Preparation prepare = nullptr);

}  // namespace nacre::sandbox::guest
