// Sizes as people write them.
#pragma once

#include <string>

namespace nacre::tools::builtin {

// Bytes in "10 kB", "10KiB", "1.5 MB", "500", "2 megabytes". Throws ToolError "not a size: TEXT".
double ParseSize(const std::string& text);

}  // namespace nacre::tools::builtin
