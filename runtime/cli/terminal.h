// A person's terminal. What it is shown goes through base/safe_text.h.
#pragma once

#include <string>
#include <string_view>

#include "base/safe_text.h"

namespace nacre::cli {

enum class Style { kPlain = 0, kBold, kDim, kGreen, kRed, kYellow };

// Of "allow", "ask" and "deny".
Style StyleOf(std::string_view verdict);

// A word as a POSIX shell reads it back, for a command that a person may copy.
std::string ShellWord(const std::string& word);

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
