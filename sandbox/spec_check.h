// Bounds and shape of a SandboxSpec, checked before anything is planned from it.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "sandbox/sandbox_spec.h"

namespace nacre::sandbox {

// kInvalidArgument naming the field: paths absolute and normalised, argv[0] absolute, no NUL byte,
// well-formed and unique environment names, unique mount targets outside of /proc and /dev, limits
// within what the sandbox can hold. Pure.
Status CheckSpec(const SandboxSpec& spec);

// Absolute, no empty, "." or ".." component, no NUL, no trailing slash (except "/"), at most 4095
// bytes. Pure.
bool IsNormalPath(const std::string& path);

// Whether `path` is `directory` or below it. Both normal. Pure.
bool IsBelow(const std::string& path, const std::string& directory);

// The mount that a path lies in, or nullptr: the most specific one counts. Pure.
const Mount* MountOf(const std::vector<Mount>& mounts, const std::string& path);

}  // namespace nacre::sandbox
