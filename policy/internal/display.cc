#include "policy/internal/display.h"

#include <algorithm>
#include <cstdio>

#include "base/safe_text.h"
#include "policy/internal/sandbox_path.h"

namespace nacre::policy {
namespace {

constexpr size_t kPathBytesMax = 300;
constexpr size_t kValueBytesMax = 64;

// Zero-width, direction-changing and line-separating characters, and the C1 controls.
bool Misleads(uint32_t code_point) {
  return code_point < 0x20 || (code_point >= 0x7F && code_point <= 0x9F) || code_point == 0xAD ||
         (code_point >= 0x200B && code_point <= 0x200F) ||
         (code_point >= 0x2028 && code_point <= 0x202E) ||
         (code_point >= 0x2060 && code_point <= 0x206F) || code_point == 0xFEFF ||
         (code_point >= 0xE0000 && code_point <= 0xE007F);
}

}  // namespace

std::string ShownText(std::string_view text, size_t bytes_max) {
  if (text.size() <= bytes_max &&
      std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c <= '~'; })) {
    return std::string(text);
  }
  // Through JSON and back: invalid UTF-8 becomes U+FFFD. Cut first, so the work is bounded.
  const Json valid = Json::parse(DumpJson(Json(std::string(text.substr(0, bytes_max + 4)))));
  const std::string& source = valid.get_ref<const std::string&>();
  std::string shown;
  for (size_t i = 0; i < source.size();) {
    const Character next = DecodeUtf8(std::string_view(source).substr(i));
    if (i + next.bytes > bytes_max) {
      return shown + "…";
    }
    if (Misleads(next.code)) {
      char escaped[16];
      std::snprintf(escaped, sizeof escaped, next.code < 0x100 ? "\\x%02x" : "\\u{%04x}",
                    static_cast<unsigned>(next.code));
      shown += escaped;
    } else {
      shown += source.substr(i, next.bytes);
    }
    i += next.bytes;
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
