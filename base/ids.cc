#include "base/ids.h"

#include <algorithm>
#include <array>
#include <cstdint>

#include "base/digest.h"

namespace nacre {
namespace {
constexpr std::string_view kCrockford = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
constexpr uint8_t kNoDigit = 0xff;
// Of each character, what it is worth.
constexpr std::array<uint8_t, 256> kValues = [] {
  std::array<uint8_t, 256> values{};
  values.fill(kNoDigit);
  for (size_t i = 0; i < kCrockford.size(); ++i) {
    values[static_cast<uint8_t>(kCrockford[i])] = static_cast<uint8_t>(i);
  }
  return values;
}();
}  // namespace

std::string NewUlid(const Clock& clock, Random& random) {
  std::array<uint8_t, 16> bytes{};
  const uint64_t millis = static_cast<uint64_t>(UnixMillis(clock.Now()));
  for (int i = 0; i < 6; ++i) {
    bytes[static_cast<size_t>(i)] = static_cast<uint8_t>(millis >> (8 * (5 - i)));
  }
  random.Fill(std::span(bytes).subspan(6));

  // 128 bits as 26 digits of 5 bits: the first digit carries only 3.
  uint64_t high = 0;
  uint64_t low = 0;
  for (size_t i = 0; i < 8; ++i) {
    high = high << 8 | bytes[i];
    low = low << 8 | bytes[i + 8];
  }
  std::string text(26, '0');
  for (size_t digit = text.size(); digit-- > 0;) {
    text[digit] = kCrockford[low & 31U];
    low = low >> 5 | high << 59;
    high >>= 5;
  }
  return text;
}

bool IsUlid(std::string_view text) {
  return text.size() == 26 && text[0] <= '7' &&
         std::all_of(text.begin(), text.end(),
                     [](char letter) { return kValues[static_cast<uint8_t>(letter)] != kNoDigit; });
}

std::string UlidHex(std::string_view ulid) {
  if (!IsUlid(ulid)) {
    return {};
  }
  uint64_t high = 0;
  uint64_t low = 0;
  for (const char letter : ulid) {
    high = high << 5 | low >> 59;
    low = low << 5 | kValues[static_cast<uint8_t>(letter)];
  }
  std::array<uint8_t, 16> bytes{};
  for (size_t i = 0; i < 8; ++i) {
    bytes[i] = static_cast<uint8_t>(high >> (56 - 8 * i));
    bytes[i + 8] = static_cast<uint8_t>(low >> (56 - 8 * i));
  }
  return ToHex(bytes);
}

}  // namespace nacre
