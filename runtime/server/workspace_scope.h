// The workspaces that clients of a server may name: its root and what lies below it.
#pragma once

#include <string>

#include "base/result.h"

namespace nacre::server {

// True for `root` and what is below it, by name: both are absolute and normalised.
bool LiesIn(const std::string& root, const std::string& path);

// The directory that `requested` names, symlinks resolved, if it is `root` or below it; `root` for
// an empty request. `root` is absolute and resolved. kInvalidArgument: not an absolute path, or
// longer than 4095 bytes, or no directory. kNotFound. kPermissionDenied: outside the root, also
// through a symlink or "..".
Result<std::string> ResolveWorkspace(const std::string& root, const std::string& requested);

}  // namespace nacre::server
