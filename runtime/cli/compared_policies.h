// Two policies to hold against each other.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "policy/policy.h"
#include "runtime/app.h"

namespace nacre::cli {

struct ComparedPolicies {
  std::shared_ptr<const policy::Policy> before;
  std::shared_ptr<const policy::Policy> after;
};

// Each with what this host adds for either, so that they differ only in what their documents say. A tenant's policy is
// put upon the second alone: what it takes away is one of the differences.
Result<ComparedPolicies> PoliciesToCompare(App& app, const std::string& before,
                                           const std::string& after, const std::string& workspace);

}  // namespace nacre::cli
