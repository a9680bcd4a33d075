#include "policy/internal/display.h"

#include <cstdio>

#include "policy/internal/sandbox_path.h"

namespace nacre::policy {
namespace {

constexpr size_t kPathBytesMax = 300;
constexpr size_t kValueBytesMax = 64;

// Zero-width, direction-changing and line-separating characters, and the C1 controls.
bool Misleads(unsigned code_point) {
  return code_point < 0x20 || (code_point >= 0x7F && code_point <= 0x9F) || code_point == 0xAD ||
         (code_point >= 0x200B && code_point <= 0x200F) ||
         (code_point >= 0x2028 && code_point <= 0x202E) ||
         (code_point >= 0x2060 && code_point <= 0x206F) || code_point == 0xFEFF ||
         (code_point >= 0xE0000 && code_point <= 0xE007F);
}

unsigned Decode(std::string_view character) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(character[i]); };
  switch (character.size()) {
    case 2:
      return (byte(0) & 0x1FU) << 6U | (byte(1) & 0x3FU);
    case 3:
      return (byte(0) & 0x0FU) << 12U | (byte(1) & 0x3FU) << 6U | (byte(2) & 0x3FU);
    case 4:
      return (byte(0) & 0x07U) << 18U | (byte(1) & 0x3FU) << 12U | (byte(2) & 0x3FU) << 6U |
             (byte(3) & 0x3FU);
    default:
      return byte(0);
  }
}

}  // namespace

std::string ShownText(std::string_view text, size_t bytes_max) {
  // Through JSON and back: invalid UTF-8 becomes U+FFFD. Cut first, so the work is bounded.
  const Json valid = Json::parse(DumpJson(Json(std::string(text.substr(0, bytes_max + 4)))));
  const std::string& source = valid.get_ref<const std::string&>();
  std::string shown;
  for (size_t i = 0; i < source.size();) {
    const auto first = static_cast<unsigned char>(source[i]);
    const size_t length = first < 0x80 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
    const std::string_view character = std::string_view(source).substr(i, length);
    if (i + length > bytes_max) {
      return shown + "…";
    }
    const unsigned code_point = Decode(character);
    if (Misleads(code_point)) {
      char escaped[16];
      std::snprintf(escaped, sizeof escaped, code_point < 0x100 ? "\\x%02x" : "\\u{%04x}",
                    code_point);
      shown += escaped;
    } else {
      shown += character;
    }
    i += length;
  }
  return shown;
}

std::string ShownPath(std::string_view path) {
  const std::optional<std::string> relative = WorkspaceRelative(path);
  if (!relative.has_value()) {
    return ShownText(path, kPathBytesMax);
  }
  return relative->empty() ? "." : ShownText(*relative, kPathBytesMax);
}

std::string ShownValue(const Json& value) {
  if (value.is_string()) {
    return "\"" + ShownText(value.get_ref<const std::string&>(), kValueBytesMax) + "\"";
  }
  return ShownText(DumpJson(value), kValueBytesMax);
}

}  // namespace nacre::policy
