// LineDiff: which lines of a text were removed and added, for people. Pure.
//
// The shortest edit (Myers, "An O(ND) Difference Algorithm and Its Variations", 1986) up to a bound on
// its length; beyond it, all lines between what both texts begin and end with are replaced.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace nacre::sandbox {

struct LineEdit {
  enum class Kind { kKept = 0, kRemoved, kAdded };
  Kind kind = Kind::kKept;
  std::string_view line;  // of the text that was given, with its newline if it has one
};

// Edits that turn `before` into `after`. nullopt when either is no text (it has a NUL byte) or is
// larger than 1 MiB: such contents are compared as a whole.
std::optional<std::vector<LineEdit>> DiffLines(std::string_view before, std::string_view after);

struct LineCounts {
  uint64_t added = 0;
  uint64_t removed = 0;
};
LineCounts CountLines(const std::vector<LineEdit>& edits);

// The edits as in `diff -u`: "@@ -1,3 +1,4 @@" and three lines around each change. No file names.
std::string UnifiedHunks(const std::vector<LineEdit>& edits);

}  // namespace nacre::sandbox
