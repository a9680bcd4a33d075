// The one meaning of a glob in nacre: in the policy's hide, protect and glob, and wherever the
// runtime expands them to files.
//
//   *       any run of characters within a segment, also none; a leading dot is nothing special
//   **      any run of whole segments, also none; stands alone between slashes
//   ?       one character (of UTF-8) within a segment
//   [a-z]   one character of the set; [!a-z] one that is not
//
// So "*.pem" is a .pem file at the top, "**/*.pem" one anywhere, and "policy/**" the folder policy
// with everything below it. There are no escapes and no {a,b}: what looks like one is refused.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace nacre::policy {

// Both are divided at "/" and compared segment by segment, so an absolute pattern matches only
// absolute paths. Time is at most the product of both lengths; a malformed pattern matches nothing.
// Thread-safe.
bool GlobMatches(std::string_view pattern, std::string_view path);

// What is wrong with the pattern, as one clause, or nullopt.
std::optional<std::string> GlobProblem(std::string_view pattern);

}  // namespace nacre::policy
