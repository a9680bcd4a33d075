// Text as tools show it: counted, cut, split into lines.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace nacre::tools::builtin {

// "1 file", "2 files".
std::string Count(uint64_t count, const std::string& one, const std::string& many);

// The whole text, or its first `bytes_max` bytes less what would split a character, and `mark`.
std::string Cut(std::string_view text, size_t bytes_max, const std::string& mark);
// How many bytes of `text` the above keeps.
size_t CutSize(std::string_view text, size_t bytes_max);

// Lines end with \n; the last one may lack it.
std::vector<std::string_view> SplitLines(std::string_view text);
uint64_t CountLines(std::string_view text);

// Joined by \n, without one at the end.
std::string JoinLines(const std::vector<std::string>& lines);

// A NUL byte among the first 8000, git's rule.
constexpr size_t kBinaryProbeBytes = 8000;
bool IsBinary(std::string_view content);

}  // namespace nacre::tools::builtin
