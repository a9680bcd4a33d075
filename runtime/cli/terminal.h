// What a person's terminal is shown. Text from models, tools and files is hostile here too: escape
// sequences could repaint the screen to hide a denial, and bidirectional controls could reorder it.
#pragma once

#include <string>
#include <string_view>

namespace nacre::cli {

// Control characters (but newline and tab), invalid UTF-8, and Unicode's bidirectional and
// zero-width controls become visible escapes: "\x1b", "<U+202E>".
std::string SafeForTerminal(std::string_view text);
// The same on one line and at most `characters_max` long, with "…" where it was cut.
std::string SafeLine(std::string_view text, size_t characters_max);

enum class Style { kPlain = 0, kBold, kDim, kGreen, kRed, kYellow };

// Colours only on a terminal, and not when NO_COLOR is set (no-color.org) or TERM is "dumb".
class Terminal final {
 public:
  explicit Terminal(int fd);
  bool interactive() const { return interactive_; }
  std::string Paint(Style style, const std::string& text) const;

 private:
  bool interactive_;
  bool colour_;
};

}  // namespace nacre::cli
