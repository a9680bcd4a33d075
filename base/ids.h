// Ids of sessions, turns, calls and audit records: ULIDs (github.com/ulid/spec), 26 characters of
// Crockford base32, 48 bits of milliseconds then 80 random bits. They sort by time of creation.
#pragma once

#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/random.h"

namespace nacre {

std::string NewUlid(const Clock& clock, Random& random);

// True for 26 upper-case Crockford digits whose first is at most '7' (the spec's overflow rule).
bool IsUlid(std::string_view text);

// Its 128 bits as 32 lower-case hexadecimal digits, as trace ids are written; empty for what is no
// ULID.
std::string UlidHex(std::string_view ulid);

}  // namespace nacre
