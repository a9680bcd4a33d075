#include "base/units.h"

#include <catch2/catch.hpp>

namespace nacre {
namespace {

using std::chrono::milliseconds;

TEST_CASE("durations and sizes are whole numbers with a unit") {
  CHECK(ParseDuration("30s") == milliseconds(30'000));
  CHECK(ParseDuration("10m") == milliseconds(600'000));
  CHECK(ParseDuration("500ms") == milliseconds(500));
  CHECK(ParseDuration("1h") == milliseconds(3'600'000));
  CHECK(ParseDuration("90d") == milliseconds(90LL * 24 * 3'600'000));
  CHECK(ParseSize("512MiB") == 512ULL << 20);
  CHECK(ParseSize("10kB") == 10'000);
  CHECK(ParseSize("7B") == 7);
  for (const char* bad : {"", "30", "s", "-1s", "1.5s", "1 s", "s30", "30S", "0x1s", "1w",
                          "99999999999999999999s", "9223372036854775807h"}) {
    INFO(bad);
    CHECK_FALSE(ParseDuration(bad).has_value());
  }
  for (const char* bad : {"", "512", "512mib", "512M", "-1MiB", "16777216TiB"}) {
    INFO(bad);
    CHECK_FALSE(ParseSize(bad).has_value());
  }
}

TEST_CASE("a duration or size is written so that it reads back the same") {
  for (const int64_t value : {0LL, 1LL, 999LL, 1000LL, 1500LL, 60'000LL, 90'000LL, 3'600'000LL}) {
    CHECK(ParseDuration(FormatDuration(milliseconds(value))) == milliseconds(value));
  }
  for (const uint64_t value : {0ULL, 1ULL, 1000ULL, 1024ULL, 1ULL << 30, (1ULL << 30) + 1}) {
    CHECK(ParseSize(FormatSize(value)) == value);
  }
  CHECK(FormatDuration(milliseconds(90'000)) == "90s");
  CHECK(FormatSize(512ULL << 20) == "512MiB");
}

}  // namespace
}  // namespace nacre
