#include "runtime/cli/terminal.h"

#include <unistd.h>

#include <cstdlib>
#include <cstring>

namespace nacre::cli {

Style StyleOf(std::string_view verdict) {
  return verdict == "allow" ? Style::kGreen : verdict == "ask" ? Style::kYellow : Style::kRed;
}

std::string ShellWord(const std::string& word) {
  constexpr std::string_view kPlain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./:=@%+,-";
  if (!word.empty() && word.find_first_not_of(kPlain) == std::string::npos) {
    return word;
  }
  std::string quoted = "'";
  for (const char c : word) {
    quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  }
  return quoted + "'";
}

Terminal::Terminal(int fd) : interactive_(::isatty(fd) == 1) {
  const char* no_color = std::getenv("NO_COLOR");
  const char* term = std::getenv("TERM");
  colour_ = interactive_ && (no_color == nullptr || *no_color == '\0') &&
            (term == nullptr || std::strcmp(term, "dumb") != 0);
}

std::string Terminal::Paint(Style style, const std::string& text) const {
  if (!colour_ || style == Style::kPlain) {
    return text;
  }
  constexpr const char* kCodes[] = {"0", "1", "2", "32", "31", "33"};
  return std::string("\x1b[") + kCodes[static_cast<int>(style)] + "m" + text + "\x1b[0m";
}

}  // namespace nacre::cli
