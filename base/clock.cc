#include "base/clock.h"

#include <chrono>

namespace nacre {
namespace {

// `value` in so many digits, with zeros before it; `end` is where they end.
void PutDigits(int64_t value, int digits, char* end) {
  for (; digits > 0; --digits, value /= 10) {
    *--end = static_cast<char>('0' + value % 10);
  }
}

}  // namespace

int64_t UnixMillis(WallTime time) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(time.time_since_epoch()).count();
}

// strftime(3) takes longer than all the rest of a record of the audit log.
std::string FormatRfc3339(WallTime time) {
  const std::chrono::sys_time<std::chrono::milliseconds> instant{
      std::chrono::milliseconds(UnixMillis(time))};
  const auto day = std::chrono::floor<std::chrono::days>(instant);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(instant - day);
  std::string text = "0000-00-00T00:00:00.000Z";
  char* const at = text.data();
  PutDigits(int{date.year()}, 4, at + 4);
  PutDigits(unsigned{date.month()}, 2, at + 7);
  PutDigits(unsigned{date.day()}, 2, at + 10);
  PutDigits(clock.hours().count(), 2, at + 13);
  PutDigits(clock.minutes().count(), 2, at + 16);
  PutDigits(clock.seconds().count(), 2, at + 19);
  PutDigits(clock.subseconds().count(), 3, at + 23);
  return text;
}

}  // namespace nacre
