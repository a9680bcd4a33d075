// Globs on one name: '*', '?' (one character), '[abc]', '[a-z]', '[!abc]'.
#pragma once

#include <string_view>

namespace nacre::tools::builtin {

// Time at most the product of both lengths, whatever the pattern: it comes from a model. A bracket
// that never closes stands for itself.
bool GlobMatches(std::string_view pattern, std::string_view name);

}  // namespace nacre::tools::builtin
