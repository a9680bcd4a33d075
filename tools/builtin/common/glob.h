// Globs on one name: '*', '?' (one character), '[abc]', '[a-z]', '[!abc]', and one '{jpg,png}'.
#pragma once

#include <string_view>

namespace nacre::tools::builtin {

// Time at most the product of both lengths for each alternative, whatever the pattern: it comes from
// a model. A bracket that never closes stands for itself, and so do braces without a comma and those
// after the first.
bool GlobMatches(std::string_view pattern, std::string_view name);

}  // namespace nacre::tools::builtin
