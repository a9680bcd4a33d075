// What somebody probably meant who wrote a name that there is not.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace nacre {

// The candidate that `word` was probably meant to be, or "": at most two edits away, and no more
// than a third of the word.
std::string Nearest(std::string_view word, const std::vector<std::string>& candidates);

}  // namespace nacre
