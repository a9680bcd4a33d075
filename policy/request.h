// What the policy is asked to judge: one tool call, already parsed into a bounded, typed value.
#pragma once

#include <string>
#include <vector>

#include "base/json.h"
#include "policy/flow.h"

namespace nacre::policy {

enum class PathAccess { kRead = 0, kWrite };

// An argument that names a file, normalised: absolute in the sandbox, no "." or "..", no doubled
// slash. Symlinks are not resolved here; the sandbox's mounts decide what they can reach.
struct PathArgument {
  std::string key;   // "path"
  std::string path;  // "/workspace/src/a.c"
  PathAccess access = PathAccess::kRead;

  friend bool operator==(const PathArgument&, const PathArgument&) = default;
};

struct Request {
  std::string tool;
  Json arguments = Json::object();  // path arguments stand in it in their normalised form
  std::vector<PathArgument> paths;
  // What is known of its data (policy/context_tracker). Without it, no flow rule can match but one that
  // speaks of the tool alone.
  FlowFacts flow = {};
};

}  // namespace nacre::policy
