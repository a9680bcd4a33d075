#include "tools/builtin/common/text.h"

#include <algorithm>

namespace nacre::tools::builtin {

std::string Count(uint64_t count, const std::string& one, const std::string& many) {
  return std::to_string(count) + " " + (count == 1 ? one : many);
}

size_t CutSize(std::string_view text, size_t bytes_max) {
  if (text.size() <= bytes_max) {
    return text.size();
  }
  size_t size = bytes_max;
  // A character has at most three continuation bytes; more are not UTF-8 and need no care.
  for (int i = 0; i < 3 && size > 0 && (static_cast<unsigned char>(text[size]) & 0xC0U) == 0x80U;
       ++i) {
    --size;
  }
  return size;
}

std::string Cut(std::string_view text, size_t bytes_max, const std::string& mark) {
  if (text.size() <= bytes_max) {
    return std::string(text);
  }
  return std::string(text.substr(0, CutSize(text, bytes_max))) + mark;
}

std::vector<std::string_view> SplitLines(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const size_t end = text.find('\n');
    lines.push_back(text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  return lines;
}

uint64_t CountLines(std::string_view text) {
  const auto ends = static_cast<uint64_t>(std::count(text.begin(), text.end(), '\n'));
  return ends + (text.empty() || text.back() == '\n' ? 0 : 1);
}

std::string JoinLines(const std::vector<std::string>& lines) {
  std::string text;
  for (size_t i = 0; i < lines.size(); ++i) {
    text += (i == 0 ? "" : "\n") + lines[i];
  }
  return text;
}

bool IsBinary(std::string_view content) {
  return content.substr(0, kBinaryProbeBytes).find('\0') != std::string_view::npos;
}

}  // namespace nacre::tools::builtin
