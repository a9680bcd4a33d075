// Reads a policy document: strict, bounded, every error at file:line:column with the key path and,
// where there is a near miss, a suggestion. The one file that knows YAML.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "policy/policy.h"

namespace nacre::policy {

struct LoadOptions {
  // The tools that exist, with their JSON Schemas ("parameters" object), when the caller knows
  // them: a rule for an unknown tool or argument is then an error. Empty: not checked.
  std::vector<std::pair<std::string, Json>> tools;
};

// `name` is a shipped profile ("coding" or "builtin/coding") or the path of a file. A file may
// extend only shipped profiles and files beside it.
Result<std::shared_ptr<const Policy>> LoadPolicy(const std::string& name, const LoadOptions& options = {});

// The same from memory. `name` stands in error messages.
Result<std::shared_ptr<const Policy>> LoadPolicyText(const std::string& name, std::string_view text,
                                                     const LoadOptions& options = {});

// "base", "coding", "offline".
std::vector<std::string> ShippedProfiles();

// The effective policy, after layering, as a policy/1 document that loads to the same decisions.
std::string ToYaml(const Policy& policy);

}  // namespace nacre::policy
