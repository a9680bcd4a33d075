#include "base/units.h"

#include <charconv>
#include <limits>

namespace nacre {
namespace {

struct Unit {
  std::string_view name;
  uint64_t factor;
  bool written;  // used by Format, which wants one spelling for each value
};

// Largest first.
constexpr Unit kDurationUnits[] = {{"d", 86'400'000, false},
                                   {"h", 3'600'000, true},
                                   {"m", 60'000, true},
                                   {"s", 1000, true},
                                   {"ms", 1, true}};
constexpr Unit kSizeUnits[] = {{"TiB", 1ULL << 40, true},    {"GiB", 1ULL << 30, true},
                               {"GB", 1'000'000'000, false}, {"MiB", 1ULL << 20, true},
                               {"MB", 1'000'000, false},     {"KiB", 1ULL << 10, true},
                               {"kB", 1000, false},          {"B", 1, true}};

template <size_t kCount>
std::optional<uint64_t> Parse(std::string_view text, const Unit (&units)[kCount]) {
  uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc()) {
    return std::nullopt;
  }
  const std::string_view name = text.substr(static_cast<size_t>(end - text.data()));
  for (const Unit& unit : units) {
    // Bounded to int64, which both std::chrono and the kernel's limits use.
    if (name == unit.name && number <= std::numeric_limits<int64_t>::max() / unit.factor) {
      return number * unit.factor;
    }
  }
  return std::nullopt;
}

template <size_t kCount>
std::string Format(uint64_t value, const Unit (&units)[kCount]) {
  for (const Unit& unit : units) {
    if (unit.written && value >= unit.factor && value % unit.factor == 0) {
      return std::to_string(value / unit.factor) + std::string(unit.name);
    }
  }
  return "0" + std::string(units[kCount - 1].name);
}

}  // namespace

std::optional<std::chrono::milliseconds> ParseDuration(std::string_view text) {
  const std::optional<uint64_t> value = Parse(text, kDurationUnits);
  if (!value.has_value()) {
    return std::nullopt;
  }
  return std::chrono::milliseconds(static_cast<int64_t>(*value));
}

std::optional<uint64_t> ParseSize(std::string_view text) {
  return Parse(text, kSizeUnits);
}

std::string FormatDuration(std::chrono::milliseconds duration) {
  return Format(static_cast<uint64_t>(duration.count()), kDurationUnits);
}

std::string FormatSize(uint64_t bytes) {
  return Format(bytes, kSizeUnits);
}

}  // namespace nacre
