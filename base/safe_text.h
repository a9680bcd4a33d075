// What a person is shown of text from models, tools and files, on a terminal or in a picture. It is
// hostile there too: escape sequences could repaint the screen to hide a denial, and bidirectional
// controls could reorder it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace nacre {

struct Character {
  uint32_t code = 0;
  size_t bytes = 0;  // 0: not valid UTF-8
};

// The first character of a text that is not empty. Overlong forms, surrogates and what is beyond
// U+10FFFF are not valid (RFC 3629).
Character DecodeUtf8(std::string_view text);

// Control characters (but newline and tab), invalid UTF-8, and Unicode's bidirectional and
// zero-width controls become visible escapes: "\x1b", "<U+202E>".
std::string SafeForTerminal(std::string_view text);
// The same on one line and at most `characters_max` long, with "…" where it was cut.
std::string SafeLine(std::string_view text, size_t characters_max);

}  // namespace nacre
