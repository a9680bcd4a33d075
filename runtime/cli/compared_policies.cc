#include "runtime/cli/compared_policies.h"

#include <algorithm>
#include <utility>
#include <vector>

namespace nacre::cli {
namespace {

// What the host protects for either of two policies, whichever of them it is added to.
std::vector<std::string> ProtectedByHost(const policy::Policy& first,
                                         const policy::Policy& second) {
  std::vector<std::string> globs;
  for (const policy::Policy* policy : {&first, &second}) {
    for (size_t i = 0; i < policy->grant.protect.size(); ++i) {
      if (policy->protect_sources[i] == policy::SourceLocation()) {
        globs.push_back(policy->grant.protect[i]);
      }
    }
  }
  return globs;
}

std::shared_ptr<const policy::Policy> Protecting(const policy::Policy& policy,
                                                 const std::vector<std::string>& globs) {
  policy::PolicyDocument both = policy;
  std::vector<std::string>& protect = both.grant.protect;
  protect.clear();
  both.protect_sources.clear();
  for (size_t i = 0; i < policy.grant.protect.size(); ++i) {
    if (policy.protect_sources[i] != policy::SourceLocation()) {
      protect.push_back(policy.grant.protect[i]);
      both.protect_sources.push_back(policy.protect_sources[i]);
    }
  }
  for (const std::string& glob : globs) {
    if (std::find(protect.begin(), protect.end(), glob) == protect.end()) {
      protect.push_back(glob);
      both.protect_sources.emplace_back();
    }
  }
  return policy::Policy::Compile(std::move(both));
}

}  // namespace

Result<ComparedPolicies> PoliciesToCompare(App& app, const std::string& before,
                                           const std::string& after, const std::string& workspace) {
  AppOptions operators = app.options();
  operators.tenant_policy.clear();
  const auto first = NACRE_TRY(App(operators).Policy(before, workspace));
  const auto second = NACRE_TRY(app.Policy(after, workspace));
  const std::vector<std::string> globs = ProtectedByHost(*first, *second);
  return ComparedPolicies{Protecting(*first, globs), Protecting(*second, globs)};
}

}  // namespace nacre::cli
