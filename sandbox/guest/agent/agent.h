// The agent: the first program in a guest (gVisor, microVM). It starts the call's program under the
// task's limits and carries its bytes, over standard input and output, to the host.
//
// It is the guest's PID 1 and runs nothing else. What it enforces (time, tasks, memory, /tmp) it
// enforces inside; the host keeps its own, wider limits around the whole guest.
#pragma once

namespace nacre::sandbox::guest {

// Reads the task from `input`, speaks on `output`, answers the program's exit code when all is said.
// Single-threaded; called once.
int RunAgent(int input, int output);

}  // namespace nacre::sandbox::guest
