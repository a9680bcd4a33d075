// ToolModel: what is known of a tool before any call: which arguments it takes, and what they do.
#pragma once

#include <string>
#include <vector>

#include "base/json.h"
#include "policy/request.h"
#include "policy/tool_traits.h"

namespace nacre::policy {

struct ToolModel {
  std::string name;
  // JSON Schema of the arguments, of the subset that nacre/sdk/schema.h checks: other arguments are
  // refused. Null: any arguments.
  Json schema;
  struct Path {
    std::string key;
    PathAccess access = PathAccess::kRead;
  };
  std::vector<Path> paths;  // an absent one means the workspace
  ToolTraits traits;
  // It may write files of the workspace that no argument names.
  bool writes_unnamed = false;
};

}  // namespace nacre::policy
