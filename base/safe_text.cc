#include "base/safe_text.h"

#include <cstdio>

namespace nacre {

Character DecodeUtf8(std::string_view text) {
  const auto byte = [&text](size_t i) { return static_cast<uint8_t>(text[i]); };
  const uint8_t first = byte(0);
  const size_t size = first < 0x80       ? 1
                      : first >> 5 == 6  ? 2
                      : first >> 4 == 14 ? 3
                      : first >> 3 == 30 ? 4
                                         : 0;
  if (size == 0 || text.size() < size) {
    return {};
  }
  uint32_t code = size == 1 ? first : first & (0x7FU >> size);
  for (size_t i = 1; i < size; ++i) {
    if ((byte(i) & 0xC0U) != 0x80U) {
      return {};
    }
    code = code << 6 | (byte(i) & 0x3FU);
  }
  constexpr uint32_t kSmallest[] = {0, 0, 0x80, 0x800, 0x10000};
  if (code < kSmallest[size] || code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF)) {
    return {};
  }
  return {code, size};
}

namespace {

bool IsDeceptive(uint32_t code) {
  return code == 0xAD || code == 0x2028 || code == 0x2029 || code == 0x3164 || code == 0x115F ||
         code == 0x1160 || (code >= 0xFFF9 && code <= 0xFFFB) ||
         (code >= 0xE0000 && code <= 0xE0FFF) || (code >= 0x200B && code <= 0x200F) ||
         (code >= 0x202A && code <= 0x202E) || (code >= 0x2060 && code <= 0x206F) ||
         // Not U+FE0F, which follows common emoji. Alone it says nothing.
         (code >= 0xFE00 && code <= 0xFE0E) || (code >= 0x180B && code <= 0x180F) ||
         (code >= 0x1D173 && code <= 0x1D17A) || (code >= 0x1BCA0 && code <= 0x1BCA3) ||
         code == 0x034F || code == 0x17B4 || code == 0x17B5 || code == 0x2800 || code == 0xFFA0 ||
         code == 0xFEFF || code == 0x061C;
}

}  // namespace

std::string SafeForTerminal(std::string_view text) {
  std::string safe;
  safe.reserve(text.size());
  char escape[16];
  while (!text.empty()) {
    const Character decoded = DecodeUtf8(text);
    const size_t bytes = decoded.bytes == 0 ? 1 : decoded.bytes;
    const bool control = decoded.code < 0x20 || (decoded.code >= 0x7F && decoded.code < 0xA0);
    if (decoded.bytes == 0 || (control && text[0] != '\n' && text[0] != '\t')) {
      std::snprintf(
          escape, sizeof escape, "\\x%02x",
          decoded.bytes == 0 ? static_cast<uint8_t>(text[0]) : static_cast<unsigned>(decoded.code));
      safe += escape;
    } else if (IsDeceptive(decoded.code)) {
      std::snprintf(escape, sizeof escape, "<U+%04X>", static_cast<unsigned>(decoded.code));
      safe += escape;
    } else {
      safe.append(text.substr(0, bytes));
    }
    text.remove_prefix(bytes);
  }
  return safe;
}

std::string SafeLine(std::string_view text, size_t characters_max) {
  std::string safe = SafeForTerminal(text);
  std::string line;
  size_t characters = 0;
  for (size_t i = 0; i < safe.size(); ++i) {
    const bool starts_character = (static_cast<uint8_t>(safe[i]) & 0xC0U) != 0x80U;
    if (starts_character && ++characters > characters_max) {
      return line + "…";
    }
    if (safe[i] == '\n' || safe[i] == '\t') {
      line += safe[i] == '\n' ? "\\n" : " ";
    } else {
      line += safe[i];
    }
  }
  return line;
}

}  // namespace nacre
