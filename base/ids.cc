#include "base/ids.h"

#include <array>
#include <cstdint>

#include "base/digest.h"

namespace nacre {
namespace {
constexpr std::string_view kCrockford = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
}

std::string NewUlid(const Clock& clock, Random& random) {
  std::array<uint8_t, 16> bytes{};
  const uint64_t millis = static_cast<uint64_t>(UnixMillis(clock.Now()));
  for (int i = 0; i < 6; ++i) {
    bytes[static_cast<size_t>(i)] = static_cast<uint8_t>(millis >> (8 * (5 - i)));
  }
  random.Fill(std::span(bytes).subspan(6));

  // 128 bits as 26 digits of 5 bits: the first digit carries only 3.
  std::string text(26, '0');
  for (int digit = 0; digit < 26; ++digit) {
    unsigned value = 0;
    for (int bit = 0; bit < 5; ++bit) {
      const int position = digit * 5 + bit - 2;  // two zero bits lead
      if (position >= 0) {
        value = value << 1 | (bytes[static_cast<size_t>(position / 8)] >> (7 - position % 8) & 1U);
      }
    }
    text[static_cast<size_t>(digit)] = kCrockford[value];
  }
  return text;
}

bool IsUlid(std::string_view text) {
  return text.size() == 26 && text[0] <= '7' &&
         text.find_first_not_of(kCrockford) == std::string_view::npos;
}

std::string UlidHex(std::string_view ulid) {
  if (!IsUlid(ulid)) {
    return {};
  }
  std::array<uint8_t, 16> bytes{};
  for (size_t digit = 0; digit < ulid.size(); ++digit) {
    const size_t value = kCrockford.find(ulid[digit]);
    for (size_t bit = 0; bit < 5; ++bit) {
      const size_t position = digit * 5 + bit;  // two zero bits lead
      if (position >= 2 && (value >> (4 - bit) & 1U) != 0) {
        bytes[(position - 2) / 8] |= static_cast<uint8_t>(0x80U >> ((position - 2) % 8));
      }
    }
  }
  return ToHex(bytes);
}

}  // namespace nacre
