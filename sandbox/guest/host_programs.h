// What the tiers with a kernel of their own need from the host: programs, and the task for the agent.
#pragma once

#include <string>

#include "base/result.h"
#include "sandbox/guest/guest_protocol.h"
#include "sandbox/sandbox_spec.h"

namespace nacre::sandbox::guest {

// The absolute path of a program of the system's own directories, or "". PATH is not asked: it is
// the caller's, and what is found here encloses calls.
std::string FindSystemProgram(const std::string& name);

// kUnavailable when our own agent is not where this copy of nacre keeps it.
Status CheckGuestProgram(const std::string& path);

// The spec as the agent is told it, with the profile's filter compiled.
Result<Task> MakeTask(const SandboxSpec& spec);

}  // namespace nacre::sandbox::guest
