// The time of a record as a number.
#pragma once

#include <cstdint>
#include <string_view>

namespace nacre::audit {

// "2026-11-26T16:12:03.123Z" as milliseconds since 1970; -1 for anything else.
int64_t MillisOf(std::string_view time);

}  // namespace nacre::audit
