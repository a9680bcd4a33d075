// Text of models, files and policies as it may stand in a reason or an error: one bounded line that
// cannot move a terminal's cursor, and in which invisible and direction-changing characters show.
#pragma once

#include <string>
#include <string_view>

#include "base/json.h"

namespace nacre::policy {

// Control, zero-width and bidirectional characters become \xNN or \u{NNNN}, invalid UTF-8 U+FFFD.
// Cut after `bytes_max` with "…".
std::string ShownText(std::string_view text, size_t bytes_max = 1000);

// A path of the sandbox as people write it: "src/a.c" for "/workspace/src/a.c", "." for the
// workspace itself, others in full.
std::string ShownPath(std::string_view path);

// A scalar as JSON, cut to 64 bytes: "rm", 7, true.
std::string ShownValue(const Json& value);

}  // namespace nacre::policy
