// Could a call that fits its tool's schema ever meet a condition? A rule with one that no call can
// meet never decides, so it is a mistake: an argument that the tool does not have, a number asked of
// a text, a choice that is none of the tool's.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "policy/policy.h"

namespace nacre::policy {

// Why a condition is not met by any call of the tool.
struct Misfit {
  std::string what;  // a clause: "\"fs.read\" has no argument \"pth\""
  std::string suggestion;
  bool of_path = false;         // the path is wrong, not what is asked of it
  std::optional<size_t> value;  // of one_of: only this one is never met, the index
};

// `schema` is the tool's "parameters", in the subset of sdk/schema.h; where it is silent, nothing is
// a misfit. Of one_of, each value that no call can have is named.
std::vector<Misfit> FindMisfits(const std::string& tool, const Json& schema,
                                const ArgumentMatcher& matcher);

}  // namespace nacre::policy
