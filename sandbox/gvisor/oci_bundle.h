// The OCI bundle of a call in gVisor: what runsc is told, as a function of the call's spec.
//
// The tree is made by the enclosure (plan.h), with its read-only binds, hidden and protected paths as
// mounts of the host's kernel; the bundle names it again so that gVisor's own kernel keeps the same
// rules: a read-only root, no network, no capabilities, noexec where the spec says so.
//
// Source: OCI runtime specification 1.0.2, config.md; gVisor's runsc/specutils.
#pragma once

#include <string>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "sandbox/sandbox_spec.h"

namespace nacre::sandbox::gvisor {

// Where the guest finds our agent, and what it mounts things on.
inline constexpr const char* kAgentTarget = "/.nacre-guest";
std::vector<std::string> GuestDirectories();

// config.json. Pure. kNotFound for an unknown seccomp profile.
Result<Json> MakeOciConfig(const SandboxSpec& spec);

}  // namespace nacre::sandbox::gvisor
