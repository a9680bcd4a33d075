// The commands of `nacre policy` that have a file of their own and came after those in command.h.
#pragma once

#include "runtime/cli/command.h"

namespace nacre::cli {

// Beside the exit codes of command.h: `nacre policy prove` refuted nothing, and did not prove everything.
inline constexpr int kExitUnknown = 4;

// For RegisterPolicy.
void RegisterPolicyLearn(CLI::App& policy, Globals& globals);
void RegisterPolicyProve(CLI::App& policy, Globals& globals);

}  // namespace nacre::cli
