#include "runtime/audit/base64.h"

#include <algorithm>
#include <cstdint>

namespace nacre::audit {
namespace {

constexpr std::string_view kDigits =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

}  // namespace

std::string EncodeBase64(std::string_view bytes) {
  std::string text;
  for (size_t i = 0; i < bytes.size(); i += 3) {
    const size_t count = std::min<size_t>(3, bytes.size() - i);
    uint32_t group = 0;
    for (size_t k = 0; k < 3; ++k) {
      group = group << 8 | (k < count ? static_cast<uint8_t>(bytes[i + k]) : 0U);
    }
    for (size_t k = 0; k < 4; ++k) {
      text += k <= count ? kDigits[group >> (18 - 6 * k) & 63U] : '=';
    }
  }
  return text;
}

std::optional<std::string> DecodeBase64(std::string_view text) {
  if (text.size() % 4 != 0) {
    return std::nullopt;
  }
  std::string bytes;
  for (size_t i = 0; i < text.size(); i += 4) {
    uint32_t group = 0;
    size_t digits = 0;
    for (size_t k = 0; k < 4; ++k) {
      const size_t digit = kDigits.find(text[i + k]);
      group <<= 6;
      if (digit != std::string_view::npos && digits == k) {
        group |= static_cast<uint32_t>(digit);
        ++digits;
      }
    }
    for (size_t k = 0; k + 1 < digits; ++k) {
      bytes += static_cast<char>(group >> (16 - 8 * k) & 0xFFU);
    }
  }
  // Whatever was skipped above (padding in the wrong place, spare bits) shows here.
  if (EncodeBase64(bytes) != text) {
    return std::nullopt;
  }
  return bytes;
}

}  // namespace nacre::audit
