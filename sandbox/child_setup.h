// The set-up child: walks a LaunchPlan from clone3(2) to execve(2).
//
// Forked from a threaded process, it calls only async-signal-safe code and touches only memory that
// the launcher laid out. A step that fails reports its index and errno and ends the child: nothing
// of the call has run.
#pragma once

#include <linux/filter.h>

#include <cstddef>
#include <cstdint>
#include <optional>

#include "sandbox/plan.h"
#include "sandbox/report.h"

namespace nacre::sandbox {

// A source of the plan as the launcher opened it.
struct OpenedSource {
  int tree = -1;  // a detached mount; -1: the child clones the path, being able to where we are not
  bool is_directory = false;
  // What the child must find at the path: it may have been replaced since.
  uint64_t device = 0;
  uint64_t inode = 0;
};

struct ChildInput;

// What a process that waits is to go on with: in its own memory, laid out by the one that sets it up.
struct HandedOver {
  const ChildInput* input = nullptr;
  size_t next = 0;  // of the plan's steps
};

// What one step leaves for a later one.
struct ChildState {
  int ruleset = -1;                  // above the report, so that both stay when all else is closed
  int locked = -1;                   // tells that PID 1 has locked itself in
  Report evidence;                   // as far as it is read
  std::optional<Evidence> mismatch;  // why it is not as planned
  int interpreter = -1;              // our end of the socket to it
  // Who sets up for another process that shares its memory: where that one looks, and who it is.
  HandedOver* handed_over = nullptr;
  pid_t tool = 0;
};

// What only a zygote's children do, at step `at` of the plan. Each answers 0, or -errno of what failed.
struct SlotSteps {
  int (*start_interpreter)(const ChildInput& input, ChildState& state);
  // Comes back only when the process could not be split.
  int (*split)(const ChildInput& input, ChildState& state, size_t at);
  // Goes on with the call that it receives, and comes back only when there is none.
  int (*await_call)(const ChildInput& input, ChildState& state);
  // Ends the process when another one has the steps that follow.
  int (*hand_over)(const ChildInput& input, ChildState& state, size_t at);
};

// Everything borrowed from the launcher; none of the descriptors but the entrances is below 10.
struct ChildInput {
  const LaunchPlan* plan = nullptr;
  OpenedSource* sources = nullptr;
  int report = -1;
  int standard_input = -1;
  int standard_output = -1;
  int standard_error = -1;
  int channel = -1;
  ExpectedEvidence expected;
  const int* kept = nullptr;  // all descriptors above and all trees, ascending
  size_t kept_count = 0;
  const int* entrances = nullptr;  // of a cgroup that it was not born in: see EnterCgroup()
  size_t entrance_count = 0;
  // The first goes with a listener, which is sent to the launcher; the second where there is none.
  sock_fprog tool_filter = {};
  sock_fprog killing_tool_filter = {};
  sock_fprog reaper_filter = {};
  char* const* argv = nullptr;
  char* const* environment = nullptr;
  size_t first_index = 0;  // what the index of the plan's first step is reported as
  const SlotSteps* slot = nullptr;
  int interpreter_library =
      -1;                 // what an interpreter loads to take its part (interpreter/take_call)
  bool in_place = false;  // kExec: the program is in this process already
};

// Enters its cgroup and says so, waits for the launcher's word, then takes all steps.
[[noreturn]] void RunChild(const ChildInput& input);
// The steps from `first` to before `end` alone; true when all are taken.
bool TakeSteps(const ChildInput& input, ChildState& state, size_t first, size_t end);
// All steps from `first`, and the end of the process if they return.
[[noreturn]] void WalkSteps(const ChildInput& input, ChildState& state, size_t first = 0);

}  // namespace nacre::sandbox
