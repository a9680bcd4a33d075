// Where a path leads as the sandbox sees it. Only the links of the workspace are followed, by their own text: the host's
// own look at a link such as /workspace/a or /proc/self/cwd is of other files.
#pragma once

#include <optional>
#include <string>

#include "base/json.h"
#include "policy/request.h"

namespace nacre::agent {

// `path`: normalised, in the sandbox; so is the answer. What is not there leads to itself. nullopt where it cannot be
// told: more links than the kernel follows (40), a folder that nacre may not look into.
std::optional<std::string> FollowedPath(const std::string& workspace, const std::string& path);

// Sets PathArgument::followed of each path, by what the workspace holds now.
void FollowLinks(const std::string& workspace, policy::Request& request);
// Where links led its paths, by argument: an empty object where none was behind a link. For the record, and read from it.
Json FollowedPaths(const policy::Request& request);
void SetFollowedPaths(const Json& recorded, policy::Request& request);
// Whether they lead elsewhere now than when that was done.
bool LinksMoved(const std::string& workspace, const policy::Request& request);

}  // namespace nacre::agent
