// Whether a call's program can be there at all, asked before anything is built for the call.
#pragma once

#include <optional>
#include <string>

#include "sandbox/host_support.h"
#include "sandbox/sandbox_spec.h"

namespace nacre::sandbox {

// Why spec.argv[0], or the interpreter of its "#!" line, cannot be executed, as a clause that names it and
// where it was looked for; nullopt when nothing speaks against it. Only what is certain counts: what a link in a mount leads to inside,
// and files that may still change, are left to the call itself. Costs one look at the host's files.
std::optional<std::string> FindProgramProblem(const SandboxSpec& spec, const HostSupport& host);

}  // namespace nacre::sandbox
