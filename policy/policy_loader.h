// Reads a policy document: strict, bounded, every error at file:line:column with the key path and,
// where there is a near miss, a suggestion. (YAML itself is known to internal/yaml_tree.cc alone.)
//
//   team.yaml:12:5: tools[0].desicion: unknown key; did you mean "decision"?
//
// A document that is wrong anywhere is refused as a whole, with its first 20 problems, one a line.
//
// Layers: a document `extends` others, each read once. Rules are put together, the deriving
// document's first, and a deny in any layer beats an allow in any other. hide and protect are
// united. Every other value is that of the deriving document, then of the last one extended that
// gives it. docs/policy-reference.md describes the language.
#pragma once

#include <functional>
#include <memory>
#include <optional>
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
  // A tenant's policy, put upon the one that is loaded: it can only narrow it (docs/policy-reference.md,
  // "A tenant's policy"). Whatever in it would widen anything is an error.
  struct Tenant {
    std::string file;  // as it stands in messages
    std::string text;
  };
  std::optional<Tenant> tenant = std::nullopt;
};

// `name` is a shipped profile ("coding" or "builtin/coding") or the path of a file. A file may
// extend only shipped profiles and files beside it. kNotFound when there is neither,
// kInvalidArgument for a document that is refused, and the errors of ReadRegularFile: a FIFO or a device is no policy.
Result<std::shared_ptr<const Policy>> LoadPolicy(const std::string& name,
                                                 const LoadOptions& options = {});

// The same from memory; it may extend only shipped profiles. `name` stands in error messages.
Result<std::shared_ptr<const Policy>> LoadPolicyText(const std::string& name, std::string_view text,
                                                     const LoadOptions& options = {});

// "base", "coding", "offline".
std::vector<std::string> ShippedProfiles();

// The effective policy, after layering, as a policy/1 document that loads to the same decisions.
std::string ToYaml(const PolicyDocument& policy);

}  // namespace nacre::policy
