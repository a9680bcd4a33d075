// The steps of a warm sandbox whose tool is a script: its interpreter is started before the call comes.
//
// Two processes share the way. The tool's process becomes the interpreter while nothing of a call is
// there: without capabilities, with nothing but the system's own files. Its child, which is our code and
// stays so, keeps what capabilities there are, waits for the call, mounts what comes with it, hands the
// interpreter the steps that are left, and ends. The interpreter (take_call.cc) takes them: descriptors,
// limits, Landlock, seccomp and evidence, by the code that takes them for every other tool. Only then
// does it have an argument, a variable or a byte of input.
#pragma once

#include "sandbox/child_setup.h"

namespace nacre::sandbox::interpreter {

// The variable of the started interpreter's environment: "LIBRARY SOCKET", two descriptors.
inline constexpr const char* kSlotVariable = "NACRE_SLOT";

// As SlotSteps has them. The first returns in the child only.
int StartInterpreter(const ChildInput& input, ChildState& state);
int HandOver(const ChildInput& input, ChildState& state, size_t at);

}  // namespace nacre::sandbox::interpreter
